"""What the charts draw: figures of the tables below them, as numbers."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from orders_app.pages.insights import wording
from orders_app.pages.insights.reading import Compared, Insights, Step

MEASURES = ("revenue", "orders", "pieces", "cancelled", "rejected")
PERCENTILES = ("p50", "p95")
Numbers = Sequence[float | None]


def charts_of(insights: Insights) -> dict[str, Any]:
    """The data of each chart by its name; amounts are in the currency that is told."""
    question = insights.question
    labels = [wording.step(step.start, question.bucket, question.period.zone) for step in insights.steps]
    return {
        "currency": question.currency,
        "now": _("This period"),
        "before": _("The period before"),
        "median": _("Median"),
        "medianBefore": _("Median before"),
        "slowest": _("95 % within"),
        "course": {"labels": labels, "measures": {name: _course(insights.steps, name) for name in MEASURES}},
        "confirmations": {
            "labels": labels,
            "lines": {name: _confirmations(insights.steps, name) for name in PERCENTILES},
        },
        "funnel": {
            "labels": [wording.stage(pair.now.stage) for pair in insights.funnel],
            **_sides(insights.funnel, "orders"),
        },
    }


def _course(steps: Iterable[Step], name: str) -> dict[str, Numbers]:
    return _sides((step.orders for step in steps), name)


def _confirmations(steps: Iterable[Step], name: str) -> dict[str, Numbers]:
    return _sides((step.confirmations for step in steps), name)


def _sides(pairs: Iterable[Compared[Any]], name: str) -> dict[str, Numbers]:
    pairs = list(pairs)
    before = [_number(getattr(pair.before, name, None)) for pair in pairs]
    return {"now": [_number(getattr(pair.now, name)) for pair in pairs], "before": before}


def _number(figure: Decimal | float | None) -> float | None:
    return float(figure) if isinstance(figure, Decimal) else figure
