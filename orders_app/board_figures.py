"""The figures of the board about orders: how many have each status, what waits, and what came in last."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from msgspec import Struct

from orders_app.models import Order, Refund
from orders_app.models.order import AWAITS_PAYMENT
from orders_app.selectors import all_orders
from orders_app.state_machine import OrderStatus, PaymentStatus, StockStatus

COUNTED = 10_000
"""What waits is counted up to this number."""
SLOT_SECONDS = 10
SLOTS = 60
RECENT_ORDERS = 15
RELEASES_SINCE = timedelta(days=30)
"""Older cancelled orders are left out: to look at all of them would take long, and audits look at them."""

_PLACED = """
SELECT floor(extract(epoch FROM created_at) / %s)::bigint AS slot, count(*) FROM orders_order
WHERE created_at >= %s GROUP BY slot
"""


class Wait(StrEnum):
    """What an order waits for. Where the admin's list of orders has a filter for it, it has this name."""

    STOCK = "stock"
    RELEASE = "release"
    CHARGE = "charge"
    REFUND = "refund"
    PAYMENT = "payment"
    FAILED = "failed"
    SHIP = "ship"
    DELIVERY = "delivery"


_ASKED_FOR = Q(payment_status=PaymentStatus.PENDING, payment_attempts__gt=0)
_FAILED = Q(payment_status=PaymentStatus.FAILED)
_RESERVED_AND_UNPAID = AWAITS_PAYMENT & Q(stock_status=StockStatus.RESERVED)
ORDERS_THAT_WAIT: Mapping[Wait, Q] = {
    Wait.STOCK: Q(status=OrderStatus.PENDING, stock_status=StockStatus.PENDING),
    Wait.CHARGE: _RESERVED_AND_UNPAID & _ASKED_FOR,
    Wait.PAYMENT: _RESERVED_AND_UNPAID & ~(_ASKED_FOR | _FAILED),
    Wait.FAILED: AWAITS_PAYMENT & _FAILED,
    Wait.SHIP: Q(status=OrderStatus.PROCESSING),
    Wait.DELIVERY: Q(status=OrderStatus.SHIPPED),
    Wait.RELEASE: Q(
        status=OrderStatus.CANCELLED,
        stock_status__in=[StockStatus.PENDING, StockStatus.RESERVED],
        created_at__gt=Now() - RELEASES_SINCE,
    ),
}
"""Which orders wait, for the board, the start page of the admin and its list of orders."""
IN_FLIGHT = frozenset({Wait.STOCK, Wait.RELEASE})
"""A request for stock or its answer is on its way, so that order and ledger may still differ."""


class Waiting(Struct, frozen=True):
    """How many orders wait, and since when the oldest does; where more than COUNTED wait, that many."""

    wait: Wait
    count: int
    oldest: datetime | None

    @property
    def is_exact(self) -> bool:
        """Whether no more wait than were counted."""
        return self.count < COUNTED


class StatusCounts(NamedTuple):
    """How many orders have each status, as of a time by the clock of PostgreSQL."""

    as_of: datetime
    orders: Mapping[OrderStatus, int]


class PlacedOrders(NamedTuple):
    """How many orders were placed in each of the last SLOTS slots of SLOT_SECONDS; the last slot runs still.

    `first_slot` is the number of the first slot, counted from 1970.
    """

    first_slot: int
    orders: Sequence[int]


def count_by_status() -> StatusCounts:
    """The orders by status; one statement that reads an index of all orders."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now(), status, count(*) FROM orders_order GROUP BY status")
        rows = cursor.fetchall()
    counts = {OrderStatus(status): count for _, status, count in rows}
    as_of = rows[0][0] if rows else timezone.now()
    return StatusCounts(as_of, {status: counts.get(status, 0) for status in OrderStatus})


def count_placed(until: datetime) -> PlacedOrders:
    """The orders that were placed in the last SLOTS slots up to the one of this time."""
    first_slot = int(until.timestamp()) // SLOT_SECONDS - SLOTS + 1
    start = datetime.fromtimestamp(first_slot * SLOT_SECONDS, until.tzinfo)
    with connection.cursor() as cursor:
        cursor.execute(_PLACED, [SLOT_SECONDS, start])
        counts = dict(cursor.fetchall())
    return PlacedOrders(first_slot, [counts.get(first_slot + number, 0) for number in range(SLOTS)])


def recent_orders() -> QuerySet[Order]:
    """The newest RECENT_ORDERS orders with their items, newest first."""
    return all_orders()[:RECENT_ORDERS]


def count_waiting(kinds: Collection[Wait] = tuple(Wait)) -> list[Waiting]:
    """What waits of each of these kinds, also where nothing does."""
    return [_waiting(wait, rows, since) for wait, (rows, since) in _waits().items() if wait in kinds]


def _waits() -> Mapping[Wait, tuple[QuerySet[Any], str]]:
    """The rows that wait, and the column that says since when; in its order, an index finds them."""
    orders = {
        wait: (Order.objects.filter(condition), "created_at") for wait, condition in ORDERS_THAT_WAIT.items()
    }
    refunds = Refund.objects.filter(state=Refund.State.REQUESTED)
    return orders | {Wait.REFUND: (refunds, "requested_at")}


def _waiting(wait: Wait, rows: QuerySet[Any], since: str) -> Waiting:
    found = rows.order_by(since).values(since)[:COUNTED].aggregate(count=Count("*"), oldest=Min(since))
    return Waiting(wait, found["count"], found["oldest"])
