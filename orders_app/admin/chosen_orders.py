"""The orders that a page is about, as its address names them: by their ids, in the parameter `order`."""

from collections.abc import Iterable
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, QueryDict

MAX_ORDERS = 100


def page_about(page: str, order_ids: Iterable[UUID | str], **parameters: object) -> str:
    """The address of a page about these orders."""
    return f"{page}?{urlencode({**parameters, 'order': list(order_ids)}, doseq=True)}"


def chosen_ids(query: QueryDict) -> list[UUID]:
    """The ids of at most MAX_ORDERS orders. Raises Http404 where one is no id."""
    try:
        return [UUID(order_id) for order_id in query.getlist("order")[:MAX_ORDERS]]
    except ValueError as error:
        raise Http404("There is no such order.") from error
