"""Counts, for the metrics, what a batch of answers did to its orders."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from django.utils import timezone

from foundation.metrics import ORDER_SETTLE_SECONDS, ORDERS_SETTLED
from foundation.tracing.exemplars import observe_all
from orders_app.document import OrderDocument
from orders_app.services.locked_order import LockedOrder
from orders_app.services.usual_answers import Answer
from orders_app.state_machine import StockStatus

A = TypeVar("A", bound=Answer)


class _Settled(NamedTuple):
    order: OrderDocument
    trace_parent: str


class AnswerCounts:
    """What the answers of a batch did; the metrics are set when `show` is called, after the commit.

    `repeated` is how many of them changed nothing: their orders had them before.
    """

    def __init__(self) -> None:
        self.repeated = 0
        self._settled: list[_Settled] = []

    def counting(self, record: Callable[[LockedOrder, A], None]) -> Callable[[LockedOrder, A], None]:
        """A function that does as `record` and counts."""

        def record_and_count(order: LockedOrder, answer: A) -> None:
            before = order.document
            record(order, answer)
            self._count(before, order.document, answer.origin.trace_parent)

        return record_and_count

    def show(self) -> None:
        """Set the metrics about settled orders."""
        now = timezone.now()
        for status, number in Counter(order.stock_status for order, _ in self._settled).items():
            ORDERS_SETTLED.labels(status).inc(number)
        ages = [((now - each.order.created_at).total_seconds(), each.trace_parent) for each in self._settled]
        observe_all(ORDER_SETTLE_SECONDS, ages)

    def _count(self, before: OrderDocument, after: OrderDocument, trace_parent: str) -> None:
        if after.version == before.version:
            self.repeated += 1
        elif before.stock_status == StockStatus.PENDING != after.stock_status:
            self._settled.append(_Settled(after, trace_parent))
