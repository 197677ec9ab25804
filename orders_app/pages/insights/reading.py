"""All figures of the page, with those of the period before beside them, read in one snapshot."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise, zip_longest
from typing import Generic, NamedTuple, TypeVar

from orders_app.analytics.figures import (
    BucketFigures,
    CancelReasonFigures,
    Confirmations,
    FunnelStage,
    ProductFigures,
    StageLatency,
    Summary,
)
from orders_app.analytics.order_figures import (
    count_cancel_reasons,
    count_stages,
    divide,
    measure_confirmations,
    measure_stages,
    summarise,
)
from orders_app.analytics.product_figures import ProductsOrdered
from orders_app.analytics.selection import Selection, one_snapshot
from orders_app.pages.insights.form import Question

SHOWN_PRODUCTS = 15
Figures = TypeVar("Figures")


class Compared(NamedTuple, Generic[Figures]):
    """Figures, and the same of the period before; None where there is nothing to compare with."""

    now: Figures
    before: Figures | None


class Step(NamedTuple):
    """What became of the orders that were placed in one step; `end` is None where it still goes on."""

    start: datetime
    end: datetime | None
    orders: Compared[BucketFigures]
    confirmations: Compared[Confirmations]


class Insights(NamedTuple):
    """What the page shows."""

    question: Question
    summary: Compared[Summary]
    steps: list[Step]
    funnel: list[Compared[FunnelStage]]
    latencies: list[Compared[StageLatency]]
    reasons: list[Compared[CancelReasonFigures]]
    products: list[ProductFigures]
    product_count: int

    @property
    def currencies(self) -> list[str]:
        """The currencies of the orders of the period."""
        return [each.currency for each in self.summary.now.by_currency]


class _Side(NamedTuple):
    """The figures of one of the two periods."""

    summary: Summary
    orders: list[BucketFigures]
    confirmations: list[Confirmations]
    funnel: list[FunnelStage]
    latencies: list[StageLatency]
    reasons: list[CancelReasonFigures]


def read_insights(question: Question) -> Insights:
    """The figures. Raises TooManyOrders."""
    with one_snapshot():
        now = _read_side(question.selection, question.starts)
        selection_before = question.selection_before
        before = _read_side(selection_before, question.starts_before) if selection_before else None
        products = ProductsOrdered(question.selection, question.currency, question.by)
        shown, count = products[:SHOWN_PRODUCTS], products.bounded_count(SHOWN_PRODUCTS).rows
    return Insights(
        question=question,
        summary=Compared(now.summary, before.summary if before else None),
        steps=_steps(question, now, before),
        funnel=_pairs(now.funnel, before.funnel if before else []),
        latencies=_pairs(now.latencies, before.latencies if before else []),
        reasons=_by_reason(now.reasons, before.reasons if before else None),
        products=shown,
        product_count=count,
    )


def _read_side(selection: Selection, starts: Sequence[datetime]) -> _Side:
    currency = str(selection.currency)
    return _Side(
        summary=summarise(selection, currency),
        orders=divide(selection, currency, starts) if starts else [],
        confirmations=measure_confirmations(selection, starts) if starts else [],
        funnel=count_stages(selection),
        latencies=measure_stages(selection),
        reasons=count_cancel_reasons(selection),
    )


def _steps(question: Question, now: _Side, before: _Side | None) -> list[Step]:
    ends: list[datetime | None] = [following for _, following in pairwise(question.starts)]
    last_end = question.period.end if question.period.end <= question.now else None
    orders = _pairs(now.orders, before.orders if before else [])
    confirmations = _pairs(now.confirmations, before.confirmations if before else [])
    return [
        Step(start, end, placed, confirmed)
        for start, end, placed, confirmed in zip(
            question.starts, [*ends, last_end], orders, confirmations, strict=False
        )
    ]


def _pairs(now: Sequence[Figures], before: Sequence[Figures]) -> list[Compared[Figures]]:
    return [Compared(*pair) for pair in zip_longest(now, before[: len(now)])]


def _by_reason(
    now: Iterable[CancelReasonFigures], before: Iterable[CancelReasonFigures] | None
) -> list[Compared[CancelReasonFigures]]:
    """Reasons of before that have none now are listed too, the last."""
    if before is None:
        return [Compared(each, None) for each in now]
    found, earlier = ({each.code: each for each in reasons} for reasons in (now, before))
    return [
        Compared(
            found.get(code, CancelReasonFigures(code, 0)), earlier.get(code, CancelReasonFigures(code, 0))
        )
        for code in found | earlier
    ]
