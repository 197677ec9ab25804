"""The start page of the admin: the figures of today, and the tasks of each group of staff."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from config.admin_tasks import find_tasks
from foundation.kept import Kept
from orders_app.analytics.comparison import period_before
from orders_app.analytics.figures import Summary
from orders_app.analytics.order_figures import summarise
from orders_app.analytics.periods import Period, first_moment
from orders_app.analytics.selection import Selection
from web.viewer_zone import zone_of

FIGURES_SECONDS = 10.0
LONGEST_WAIT_SECONDS = 0.5
"""So long the page waits for the figures of today: hundreds of thousands of orders take a moment."""


class Figures(NamedTuple):
    """Those of the orders placed today, and of those placed yesterday until the same time of the day."""

    today: Summary
    yesterday: Summary


def start_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures and the tasks that the user may see."""
    may_see_orders = request.user.has_perm("orders_app.view_order")
    return context | {
        "title": gettext("Start"),
        "may_see_orders": may_see_orders,
        "figures": figures_in(zone_of(request).key).last(LONGEST_WAIT_SECONDS) if may_see_orders else None,
        "groups": list(find_tasks(request.user.has_perm)),
        "currency": settings.CURRENCY,
    }


@lru_cache(maxsize=64)
def figures_in(zone: str) -> Kept[Figures]:
    """The figures of today by the clocks of this time zone."""
    return Kept(lambda: find_figures(ZoneInfo(zone), timezone.now()), seconds=FIGURES_SECONDS)


def find_figures(zone: ZoneInfo, now: datetime) -> Figures:
    """The figures of the day of this moment, and of the day before until the same time."""
    day = now.astimezone(zone).date()
    today = Period(first_moment(day, zone), first_moment(day + timedelta(days=1), zone), zone)
    periods = (Period(today.start, now, zone), period_before(today, now))
    return Figures(*(summarise(Selection(each, settings.CURRENCY), settings.CURRENCY) for each in periods))
