"""The figures at the head of the page, each with its change since the period before."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from orders_app.analytics.figures import Summary
from orders_app.pages.insights import wording
from orders_app.pages.insights.reading import Compared, Insights
from web.templatetags.site import money as shown_money

CONFIRMED = "placed→confirmed"
Number = int | float | Decimal
Worded = Callable[[Any], str]


class Change(NamedTuple):
    """How a figure differs from that of the period before."""

    text: str
    """Empty where there was nothing before."""
    before: str
    judgement: str
    """`better`, `worse` or `neutral`."""


class Tile(NamedTuple):
    """A figure; `note` says more of it."""

    name: str
    value: str
    note: str
    change: Change | None


def tiles_of(insights: Insights) -> Iterator[Tile]:
    """The tiles, the most important first."""
    summary, currency = insights.summary, insights.question.currency
    now = summary.now

    def money(amount: Decimal) -> str:
        return shown_money(amount, currency)

    yield _tile(_("Revenue"), summary, "revenue", money, note=_("paid or delivered, less refunds"))
    yield _tile(_("Orders"), summary, "orders", wording.count)
    yield _tile(_("Average order value"), summary, "average_order_value", money)
    yield _tile(_("Pieces"), summary, "pieces", wording.count)
    again = _("%(number)s ordered more than once") % {"number": wording.count(now.repeat_customers)}
    yield _tile(_("Customers"), summary, "customers", wording.count, note=again)
    yield _rate(_("Cancelled"), summary, "cancel_rate", now.cancelled)
    yield _rate(_("Rejected for lack of stock"), summary, "rejection_rate", now.rejected)
    yield _time_to_confirm(insights)


def _tile(name: str, summary: Compared[Summary], figure: str, worded: Worded, note: str = "") -> Tile:
    now = getattr(summary.now, figure)
    before = getattr(summary.before, figure) if summary.before else None
    return Tile(name, worded(now), note, _change(now, before, worded, good=1))


def _rate(name: str, summary: Compared[Summary], figure: str, orders: int) -> Tile:
    note = _("%(number)s orders") % {"number": wording.count(orders)}
    now = getattr(summary.now, figure)
    if summary.before is None or not summary.before.orders:
        return Tile(name, wording.share(now), note, None)
    before = getattr(summary.before, figure)
    points = round((now - before) * 100, 1)
    text = _("%(number)s points") % {"number": wording.signed(points)}
    return Tile(name, wording.share(now), note, _judged(text, wording.share(before), points, good=-1))


def _time_to_confirm(insights: Insights) -> Tile:
    [latency] = (each for each in insights.latencies if each.now.stage == CONFIRMED)
    now, before = latency.now.p50, latency.before.p50 if latency.before else None
    slowest = _("95 %% within %(time)s") % {"time": wording.duration(latency.now.p95)}
    change = _change(now, before, wording.duration, good=-1) if now is not None else None
    return Tile(
        _("Median time to confirm"), wording.duration(now), slowest if latency.now.count else "", change
    )


def _change(now: Number, before: Number | None, worded: Worded, good: int) -> Change | None:
    """`good` is 1 where more is better, and -1 where less is."""
    if before is None:
        return None
    if not before:
        return _judged("", worded(before), 0, good) if now else None
    ratio = float(now) / float(before) - 1
    return _judged(wording.signed_share(ratio), worded(before), round(ratio, 3), good)


def _judged(text: str, before: str, difference: float, good: int) -> Change:
    if not difference:
        return Change(text, before, "neutral")
    return Change(text, before, "better" if difference * good > 0 else "worse")
