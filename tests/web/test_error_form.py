"""Whatever fails under /api/ is said in the one form."""

from typing import Any

import pytest
from django.db import OperationalError

from orders_app.api import views
from tests.orders_app.api.people import Person


def form_of(response: Any, status: int, code: str, kind: str = "client_error") -> None:
    """The answer has this status and the one form."""
    body = response.json()
    assert response.status_code == status, body
    assert body.keys() == {"type", "errors"}
    assert body["type"] == kind
    assert [error.keys() for error in body["errors"]] == [{"code", "detail", "attr"}]
    assert body["errors"][0]["code"] == code


@pytest.mark.parametrize("path", ["nothing/", "nothing", "orders/x/y/", "orders/no-uuid/"])
def test_a_path_that_nobody_serves_is_a_404(path: str) -> None:
    response = Person().ask("POST", path)
    form_of(response, 404, "not_found")


def test_a_method_that_the_route_has_not_is_a_405() -> None:
    response = Person(1).ask("PUT", "orders/")
    form_of(response, 405, "method_not_allowed")
    assert "POST" in response["Allow"]


def test_a_body_in_another_form_than_json_is_a_415() -> None:
    client = Person(1).client
    response = client.generic("POST", "/api/v1/orders/", "<order/>", content_type="application/xml")
    form_of(response, 415, "unsupported_media_type")
    form_of(client.post("/api/v1/orders/", {"items": "x"}, format="multipart"), 415, "unsupported_media_type")


def test_an_answer_in_a_form_that_we_have_not_is_a_406() -> None:
    form_of(Person().ask("GET", "orders/statuses/", headers={"Accept": "text/csv"}), 406, "not_acceptable")


def test_a_body_that_is_too_large_is_a_413() -> None:
    body = b'{"items": "' + b"x" * 2_700_000 + b'"}'
    form_of(Person(1).ask("POST", "orders/", body), 413, "too_large")


def test_a_host_that_is_not_ours_is_a_400() -> None:
    form_of(Person().ask("GET", "orders/statuses/", headers={"Host": "evil.example"}), 400, "bad_request")


def failing(error: Exception) -> Any:
    def fail(*_: object) -> None:
        raise error

    return fail


def test_a_database_that_is_down_is_a_503_without_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "visible_orders", failing(OperationalError("db-1.internal is down")))
    response = Person(1).ask("GET", "orders/")
    form_of(response, 503, "database_unavailable", "server_error")
    assert response["Retry-After"] == "5"
    assert b"internal" not in response.content


def test_a_fault_of_ours_is_a_500_that_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "visible_orders", failing(RuntimeError("secret")))
    response = Person(1).ask("GET", "orders/")
    form_of(response, 500, "error", "server_error")
    assert b"secret" not in response.content
