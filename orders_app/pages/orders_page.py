"""The page of an order: how far it is, what happened to it, and what its customer can do about it."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from msgspec import Struct

from orders_app import event_log
from orders_app.api.access import user_id, visible_orders
from orders_app.api.payment_shapes import payments_of
from orders_app.document import OrderDocument, OrderLine
from orders_app.event_data import Cancelled
from orders_app.history.steps import Step
from orders_app.history.story import Story
from orders_app.history.timeline import timeline_of
from orders_app.models.order import VIEW_CUSTOMERS
from orders_app.models.rows import document_of
from orders_app.pages.orders_choices import choices_of
from orders_app.pages.orders_words import payment_lines, payment_note, situation_of
from orders_app.state_words import METHOD_WORDS
from web.pages import signed_in_page


class ShownLine(Struct, frozen=True):
    """A line of the order with its sum; `is_short` where the order was rejected for it."""

    line: OrderLine
    sum: Decimal
    is_short: bool


@signed_in_page
def order_page(request: HttpRequest, number: str) -> HttpResponse:
    """The order of this number, for its customer and for staff; 404 for everybody else."""
    return show_order(request, find_order(request, number))


def find_order(request: HttpRequest, number: str) -> OrderDocument:
    """The order of this number. Raises Http404 where the caller must not see it, or there is none."""
    order = visible_orders(request.user).filter(order_number=number.upper()).first()
    if order is None:
        raise Http404
    return document_of(order)


def is_own(request: HttpRequest, order: OrderDocument) -> bool:
    """Whether the caller is the customer of this order."""
    return order.user_id == str(user_id(request.user))


def show_order(
    request: HttpRequest, order: OrderDocument, *, status: HTTPStatus = HTTPStatus.OK, **sent: Any
) -> HttpResponse:
    """The page; `sent` are forms with errors, by their names `cancel`, `pay` and `address`."""
    own = is_own(request, order)
    shows_customer = own or request.user.has_perm(VIEW_CUSTOMERS)
    story = Story(event_log.history(order.id), for_staff=request.user.is_staff, shows_customer=shows_customer)
    context = {
        "order": order,
        "is_own": own,
        "shows_customer": shows_customer,
        "situation": situation_of(order),
        "payment_note": payment_note(order),
        "method": METHOD_WORDS[order.payment_method],
        "stages": timeline_of(order, story.steps),
        "entries": [story.tell(step) for step in story.steps],
        "lines": _lines(order, story.steps),
        "payments": payment_lines(payments_of(order)),
        "choices": choices_of(order, is_own=own, sent=sent),
        "kept_until": order.created_at + timedelta(minutes=settings.HOLD_MINUTES),
    }
    return render(request, "orders_app/order.html", context, status=status)


def _lines(order: OrderDocument, steps: Iterable[Step]) -> Sequence[ShownLine]:
    short = {
        product
        for step in steps
        if isinstance(step.data, Cancelled)
        for product in step.data.rejected_products
    }
    return [
        ShownLine(line, line.price * line.quantity, is_short=line.product_id in short) for line in order.items
    ]
