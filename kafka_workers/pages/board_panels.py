"""What the board makes of its state: words, tones, links and the shape of the chart."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from orders_app.board_figures import SLOT_SECONDS, PlacedOrders, StatusCounts, Wait, Waiting
from orders_app.models import Order
from orders_app.state_words import STATUS_WORDS

CHART_HEIGHT = 100
LATE_RELAY_SECONDS = 10.0
MINUTE_SLOTS = 60 // SLOT_SECONDS
_ORDERS = "admin:orders_app_order_changelist"
_REFUNDS = "admin:orders_app_refund_changelist"


class WaitWords(NamedTuple):
    """What is said of a kind of waiting, after how long it counts as stuck, and the list of the admin."""

    label: Promise
    limit: timedelta
    page: str
    query: str


class WaitRow(NamedTuple):
    """A kind of waiting as a row of the board."""

    label: Promise
    waiting: Waiting
    is_stuck: bool
    url: str


class StatusTile(NamedTuple):
    """A status with the number of its orders, and its list in the admin."""

    status: int
    label: Promise
    tone: str
    orders: int
    url: str


class Bar(NamedTuple):
    """A slot of the chart: how many orders, and where its bar stands."""

    orders: int
    x: int
    y: float
    height: float


def _hold() -> timedelta:
    """An unpaid order is cancelled after HOLD_MINUTES; a minute later that should be done."""
    return timedelta(minutes=settings.HOLD_MINUTES + 1)


def _words() -> Mapping[Wait, WaitWords]:
    soon, hold = timedelta(minutes=1), _hold()
    return {
        Wait.STOCK: WaitWords(gettext_lazy("Stock to be reserved"), soon, _ORDERS, "waiting=stock"),
        Wait.RELEASE: WaitWords(gettext_lazy("Stock to be given back"), soon, _ORDERS, "waiting=release"),
        Wait.CHARGE: WaitWords(gettext_lazy("Payment to be answered"), 2 * soon, _ORDERS, "waiting=charge"),
        Wait.REFUND: WaitWords(
            gettext_lazy("Money to go back"), 5 * soon, _REFUNDS, "state__exact=requested"
        ),
        Wait.PAYMENT: WaitWords(gettext_lazy("Customer to pay"), hold, _ORDERS, "waiting=payment"),
        Wait.FAILED: WaitWords(
            gettext_lazy("Customer to pay again after a decline"), hold, _ORDERS, "waiting=failed"
        ),
        Wait.SHIP: WaitWords(gettext_lazy("Order to be shipped"), timedelta(days=2), _ORDERS, "waiting=ship"),
        Wait.DELIVERY: WaitWords(
            gettext_lazy("Parcel to arrive"), timedelta(days=14), _ORDERS, "waiting=delivery"
        ),
    }


def wait_rows(waiting: Sequence[Waiting]) -> list[WaitRow]:
    """Every kind of waiting, also those of which there is none: the rows of the board stay where they are."""
    words, now = _words(), timezone.now()
    return [_wait_row(words[each.wait], each, now) for each in waiting]


def _wait_row(words: WaitWords, waiting: Waiting, now: datetime) -> WaitRow:
    is_stuck = waiting.oldest is not None and now - waiting.oldest > words.limit
    return WaitRow(words.label, waiting, is_stuck, f"{reverse(words.page)}?{words.query}")


def status_tiles(counts: StatusCounts) -> Iterator[StatusTile]:
    """A tile for each status."""
    for status, orders in counts.orders.items():
        label, tone = STATUS_WORDS[status]
        yield StatusTile(status, label, tone, orders, f"{reverse(_ORDERS)}?status__exact={status}")


def chart_bars(placed: PlacedOrders) -> list[Bar]:
    """The bars of the chart, CHART_HEIGHT high where most orders were placed."""
    most = max(1, *placed.orders)
    heights = [CHART_HEIGHT * orders / most for orders in placed.orders]
    return [
        Bar(orders, 10 * number, round(CHART_HEIGHT - height, 2), round(height, 2))
        for number, (orders, height) in enumerate(zip(placed.orders, heights, strict=True))
    ]


def last_minute(placed: PlacedOrders) -> int:
    """How many orders were placed in the last minute; its last slot has not ended yet."""
    return sum(placed.orders[-MINUTE_SLOTS:])


def order_figures(order: Order) -> dict[str, object]:
    """An order for the script of the board, with the names of socket messages."""
    return {
        "id": str(order.pk),
        "orderNumber": order.order_number,
        "items": [
            {"productName": item.product_name, "quantity": item.quantity} for item in order.items.all()
        ],
        "totalAmount": str(order.total_amount),
        "currency": order.currency,
        "status": order.status,
        "createdAt": order.created_at.isoformat(),
        "version": order.version,
    }
