"""The rows of the page's tables, in words; a bar beside a number is an SVG of a hundred units."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from orders_app.analytics.figures import ProductFigures
from orders_app.analytics.product_figures import SortedBy
from orders_app.pages.insights import wording
from orders_app.pages.insights.form import Question
from orders_app.pages.insights.reading import Compared, Insights, Step
from web.templatetags.site import money

BEFORE_MARK = 0.992
"""Where the mark of a whole begins: it is 0.8 units wide, and ends with the bar."""


class Bar(NamedTuple):
    """A row with a bar; without a period before, `before` and the bar's `mark` for it are empty."""

    label: str
    text: str
    share: str
    width: str
    before: str
    mark: str


class StepRow(NamedTuple):
    """A step of the period; `…_before` are figures of the step compared with it, empty without one."""

    label: str
    is_running: bool
    orders: str
    orders_before: str
    revenue: str
    revenue_before: str
    pieces: str
    cancelled: str
    rejected: str
    median: str
    slowest: str


class LatencyRow(NamedTuple):
    """How long orders took from one stage to another."""

    label: str
    orders: str
    median: str
    p95: str
    p99: str
    before: str


class ProductRow(NamedTuple):
    """The figures of a product, with a bar for the figure by which products are sorted."""

    product_id: str
    name: str
    category: str
    orders: str
    pieces: str
    revenue: str
    rejected: str
    width: str


def step_rows(insights: Insights) -> list[StepRow]:
    """The steps, the newest first."""
    return [_step_row(step, insights.question) for step in reversed(insights.steps)]


def _step_row(step: Step, question: Question) -> StepRow:
    now, before = step.orders
    return StepRow(
        label=wording.step(step.start, question.bucket, question.period.zone),
        is_running=step.end is None,
        orders=wording.count(now.orders),
        orders_before=wording.count(before.orders) if before else "",
        revenue=money(now.revenue, question.currency),
        revenue_before=money(before.revenue, question.currency) if before else "",
        pieces=wording.count(now.pieces),
        cancelled=wording.count(now.cancelled),
        rejected=wording.count(now.rejected),
        median=wording.duration(step.confirmations.now.p50),
        slowest=wording.duration(step.confirmations.now.p95),
    )


def funnel_bars(insights: Insights) -> list[Bar]:
    """How many orders came to each stage, as a share of those placed."""
    placed_before = insights.summary.before.orders if insights.summary.before else 0
    return [
        Bar(
            label=wording.stage(pair.now.stage),
            text=wording.count(pair.now.orders),
            share=wording.share(pair.now.share),
            width=_units(pair.now.share),
            before=_share_before(pair.before.orders, placed_before) if pair.before else "",
            mark=_units(pair.before.share * BEFORE_MARK) if pair.before and placed_before else "",
        )
        for pair in insights.funnel
    ]


def reason_bars(insights: Insights) -> list[Bar]:
    """For which reasons orders were cancelled."""
    summary = insights.summary
    return _bars(
        [
            (wording.reason(pair.now.code), pair.now.orders, pair.before.orders if pair.before else None)
            for pair in insights.reasons
        ],
        Compared(summary.now.cancelled, summary.before.cancelled if summary.before else None),
    )


def status_bars(insights: Insights) -> list[Bar]:
    """How far the orders are now."""
    now, before = insights.summary
    found = {each.status: each.orders for each in before.by_status} if before else {}
    return _bars(
        [(wording.status(each.status), each.orders, found.get(each.status)) for each in now.by_status],
        Compared(now.orders, before.orders if before else None),
    )


def payment_bars(insights: Insights) -> list[Bar]:
    """How the orders are paid; ways that nobody chose are left out."""
    now, before = insights.summary
    found = {each.payment_method: each.orders for each in before.by_payment_method} if before else {}
    chosen = (
        (wording.payment_method(each.payment_method), each.orders, found.get(each.payment_method))
        for each in now.by_payment_method
    )
    return _bars(
        sorted((row for row in chosen if row[1] or row[2]), key=lambda row: -row[1]),
        Compared(now.orders, before.orders if before else None),
    )


def _bars(rows: Iterable[tuple[str, int, int | None]], whole: Compared[int]) -> list[Bar]:
    """Rows of a label and its orders, now and before, as shares of all orders."""
    return [
        Bar(
            label=label,
            text=wording.count(orders),
            share=wording.share(_part(orders, whole.now)),
            width=_units(_part(orders, whole.now)),
            before="" if before is None else _share_before(before, whole.before or 0),
            mark=""
            if before is None or not whole.before
            else _units(_part(before, whole.before) * BEFORE_MARK),
        )
        for label, orders, before in rows
    ]


def _share_before(orders: int, whole: int) -> str:
    """The share of the period before; a dash where it had no orders."""
    return wording.share(_part(orders, whole)) if whole else wording.NOTHING


def _part(orders: int, whole: int) -> float:
    return orders / whole if whole else 0.0


def _units(part: float) -> str:
    """As SVG reads a number, in every language."""
    return f"{part * 100:.1f}"


def latency_rows(insights: Insights) -> list[LatencyRow]:
    """How long the orders took from stage to stage."""
    return [
        LatencyRow(
            label=wording.stage(pair.now.stage),
            orders=wording.count(pair.now.count),
            median=wording.duration(pair.now.p50),
            p95=wording.duration(pair.now.p95),
            p99=wording.duration(pair.now.p99),
            before=wording.duration(pair.before.p50) if pair.before else "",
        )
        for pair in insights.latencies
    ]


def product_rows(insights: Insights) -> list[ProductRow]:
    """The first products, sorted as was asked."""
    by = insights.question.by
    most = max((_sorted_figure(each, by) for each in insights.products), default=0) or 1
    return [
        ProductRow(
            product_id=product.product_id,
            name=product.product_name or product.product_id,
            category=product.category or wording.NOTHING,
            orders=wording.count(product.orders),
            pieces=wording.count(product.pieces),
            revenue=money(product.revenue, insights.question.currency),
            rejected=wording.count(product.rejected),
            width=_units(_sorted_figure(product, by) / most),
        )
        for product in insights.products
    ]


def _sorted_figure(product: ProductFigures, by: SortedBy) -> float:
    match by:
        case SortedBy.PIECES:
            return product.pieces
        case SortedBy.REJECTIONS:
            return product.rejected
    return float(product.revenue)


def other_currencies(insights: Insights) -> Sequence[tuple[str, str, str]]:
    """The orders in other currencies than the one that was asked for: code, orders, revenue."""
    return [
        (each.currency, wording.count(each.orders), money(each.revenue, each.currency))
        for each in insights.summary.now.by_currency
        if each.currency != insights.question.currency
    ]
