"""Cells that the lists of dead letters and parked events share: times of any year, and links to orders."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html

from orders_app.models import Order
from web.admin_columns import shown_time


def shown_any_time(time: datetime | None) -> str:
    """The time in the viewer's zone; as it is where that zone has no such year, a dash for None.

    Headers that others wrote may give any time.
    """
    try:
        return shown_time(time)
    except (OverflowError, ValueError):
        return time.isoformat(" ", "seconds") if time else ""


def order_links(ids: Iterable[str]) -> Mapping[str, str]:
    """Links to the pages of those orders of these ids that are here, by id; an id may be any text."""
    found = {order_id: text for text in ids if (order_id := _order_id(text))}
    numbers = Order.objects.filter(pk__in=found).order_by().values_list("pk", "order_number")
    return {found[order_id]: _link(order_id, number) for order_id, number in numbers}


def id_of_order(number: str) -> str | None:
    """The id of the order with this number; None where there is none."""
    order_id = Order.objects.filter(order_number=number).values_list("pk", flat=True).first()
    return str(order_id) if order_id else None


def _link(order_id: UUID, number: str) -> str:
    page = reverse("admin:orders_app_order_change", args=[order_id])
    return format_html('<a class="sb-link" href="{}">{}</a>', page, number)


def _order_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
