"""The paths of schemas, AsyncAPI document and events page, below `/api/`, and of pages for staff."""

from django.urls import URLPattern, path

from kafka_workers.pages import board, proof, views

urlpatterns = [
    path("schemas/", views.schema_list, name="message-schemas"),
    path("schemas/<str:name>.json", views.schema, name="message-schema"),
    path("asyncapi/", views.asyncapi_document, name="asyncapi"),
    path("events/", views.events_page, name="events"),
]
STAFF: list[URLPattern] = [
    path("board/", board.board_page, name="board"),
    path("board/figures/", board.board_figures, name="board-figures"),
    path("board/proof/", proof.proof_page, name="proof"),
    path("board/proof/figures/", proof.proof_figures, name="proof-figures"),
]
