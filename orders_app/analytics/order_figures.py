"""The figures that need the rows of orders alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from foundation.currencies import smallest_unit
from orders_app.analytics import freshness, queries
from orders_app.analytics.figures import (
    BucketFigures,
    CancelReasonFigures,
    Confirmations,
    FunnelStage,
    OrdersByCurrency,
    OrdersByPaymentMethod,
    OrdersByStatus,
    StageLatency,
    Summary,
)
from orders_app.analytics.selection import Selection, one_snapshot, read
from orders_app.state_machine import OrderStatus, PaymentMethod

Group = Sequence[Any]
"""Orders, those with revenue, revenue, pieces, cancelled and rejected orders."""
Groups = Mapping[tuple[int | None, int | None], Group]

NO_ORDERS: Group = (0, 0, 0, 0, 0, 0)
STAGES = ("placed", "reserved", "paid", "shipped", "delivered")
TIMED_STAGES = ("placed→reserved", "placed→confirmed", "confirmed→shipped", "shipped→delivered")
NO_REASON = "UNKNOWN"
"""The code of a cancellation whose message had none."""


def summarise(selection: Selection, currency: str) -> Summary:
    """The figures of these orders, which are in this currency, at one look."""
    with one_snapshot():
        rows = read(queries.GROUPS, selection.parameters)
        [(customers, repeat_customers)] = read(queries.CUSTOMERS, selection.parameters)
        currencies = read(queries.BY_CURRENCY, selection._replace(currency=None).parameters)
        fresh = freshness()
    groups: Groups = {(status, method): group for status, method, *group in rows}
    orders, paid, revenue, pieces, cancelled, rejected = groups[None, None]
    return Summary(
        **selection.asked,
        orders=orders,
        paid_orders=paid,
        revenue=money(revenue, currency),
        average_order_value=money(Decimal(revenue) / paid if paid else 0, currency),
        pieces=pieces,
        customers=customers,
        repeat_customers=repeat_customers,
        cancelled=cancelled,
        rejected=rejected,
        rejection_rate=share(rejected, orders),
        cancel_rate=share(cancelled, orders),
        by_status=_by_status(groups),
        by_payment_method=_by_payment_method(groups, currency),
        by_currency=[OrdersByCurrency(code, orders, money(sum_, code)) for code, orders, sum_ in currencies],
        as_of=fresh.as_of if fresh else None,
        lag_seconds=round(fresh.lag_seconds, 3) if fresh else None,
    )


def _by_status(groups: Groups) -> list[OrdersByStatus]:
    return [
        OrdersByStatus(status, status.label, groups.get((status, None), NO_ORDERS)[0])
        for status in OrderStatus
    ]


def _by_payment_method(groups: Groups, currency: str) -> list[OrdersByPaymentMethod]:
    found = ((method, groups.get((None, method), NO_ORDERS)) for method in PaymentMethod)
    return [
        OrdersByPaymentMethod(method, method.label, orders, money(revenue, currency))
        for method, (orders, _, revenue, *_) in found
    ]


def divide(selection: Selection, currency: str, starts: Sequence[datetime]) -> list[BucketFigures]:
    """The figures of these orders, which are in this currency, by the bucket in which they were placed.

    `starts` are when the buckets begin, the first one not after the period.
    """
    with one_snapshot():
        rows = read(queries.BUCKETS, selection.parameters | {"starts": list(starts)})
    found = {number: figures for number, *figures in rows}
    buckets = ((start, found.get(number, [0] * 5)) for number, start in enumerate(starts, 1))
    return [
        BucketFigures(start, orders, money(revenue, currency), *others)
        for start, (orders, revenue, *others) in buckets
    ]


def count_stages(selection: Selection) -> list[FunnelStage]:
    """How many of these orders came to each stage."""
    with one_snapshot():
        [orders] = read(queries.FUNNEL, selection.parameters)
    return [
        FunnelStage(stage, came, share(came, orders[0])) for stage, came in zip(STAGES, orders, strict=True)
    ]


def measure_stages(selection: Selection) -> list[StageLatency]:
    """How long these orders took from stage to stage."""
    with one_snapshot():
        rows = read(queries.LATENCIES, selection.parameters)
    found = {number: (count, *(round(each, 3) for each in seconds)) for number, count, seconds in rows}
    return [
        StageLatency(stage, *found.get(number, (0, None, None, None)))
        for number, stage in enumerate(TIMED_STAGES, 1)
    ]


def measure_confirmations(selection: Selection, starts: Sequence[datetime]) -> list[Confirmations]:
    """How long these orders took to be confirmed, by the bucket in which they were placed.

    `starts` are when the buckets begin, the first one not after the period.
    """
    with one_snapshot():
        rows = read(queries.CONFIRMATIONS, selection.parameters | {"starts": list(starts)})
    found = {number: (count, *(round(each, 3) for each in seconds)) for number, count, seconds in rows}
    return [
        Confirmations(start, *found.get(number, (0, None, None))) for number, start in enumerate(starts, 1)
    ]


def count_cancel_reasons(selection: Selection) -> list[CancelReasonFigures]:
    """For which reasons how many of these orders were cancelled, the most frequent first."""
    with one_snapshot():
        rows = read(queries.CANCEL_REASONS, selection.parameters)
    return [CancelReasonFigures(code or NO_REASON, orders) for code, orders in rows]


def money(amount: Decimal | int, currency: str) -> Decimal:
    """The amount with the decimals of its currency."""
    return Decimal(amount).quantize(smallest_unit(currency), ROUND_HALF_UP)


def share(part: int, whole: int) -> float:
    """The part of the whole; of nothing 0."""
    return round(part / whole, 6) if whole else 0.0
