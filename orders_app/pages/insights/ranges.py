"""The periods that the page offers, and into which steps a period is usually divided."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from orders_app.analytics.periods import Bucket, Period, first_moment, month_begin

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
USUAL_BUCKETS = (
    (timedelta(hours=3), Bucket.MINUTE),
    (timedelta(days=3), Bucket.HOUR),
    (timedelta(days=93), Bucket.DAY),
    (timedelta(days=210), Bucket.WEEK),
)
"""Into what a period of at most this length is divided; a longer one into months."""


class Range(TextChoices):
    """Periods that move with the clock."""

    HOUR = "hour", _("Last hour")
    TODAY = "today", _("Today")
    YESTERDAY = "yesterday", _("Yesterday")
    WEEK = "7d", _("7 days")
    DAYS_30 = "30d", _("30 days")
    DAYS_90 = "90d", _("90 days")
    THIS_MONTH = "month", _("This month")
    LAST_MONTH = "last-month", _("Last month")
    YEAR = "12m", _("12 months")


DAYS = {Range.TODAY: 1, Range.WEEK: 7, Range.DAYS_30: 30, Range.DAYS_90: 90}
"""Of the ranges that end with today: how many days they have."""


def period_of(chosen: Range, now: datetime, zone: ZoneInfo) -> Period:
    """The period that is meant now, by the clocks of this zone."""
    if chosen == Range.HOUR:
        end = now.replace(second=0, microsecond=0) + MINUTE
        return Period(end - 60 * MINUTE, end, zone)
    today = now.astimezone(zone).date()
    if days := DAYS.get(chosen):
        return period_of_days(today - (days - 1) * DAY, today, zone)
    match chosen:
        case Range.YESTERDAY:
            return period_of_days(today - DAY, today - DAY, zone)
        case Range.LAST_MONTH:
            return period_of_days(month_begin(today, -1), month_begin(today, 0) - DAY, zone)
        case Range.YEAR:
            return period_of_days(month_begin(today, -11), month_begin(today, 1) - DAY, zone)
    return period_of_days(month_begin(today, 0), month_begin(today, 1) - DAY, zone)


def period_of_days(first: date, last: date, zone: ZoneInfo) -> Period:
    """The period of these days, both included. Raises OverflowError at the ends of the calendar."""
    return Period(first_moment(first, zone), first_moment(last + DAY, zone), zone)


def usual_bucket(period: Period) -> Bucket:
    """Steps of which the period has enough to show a course, and not too many to read."""
    length = period.end - period.start
    return next((bucket for longest, bucket in USUAL_BUCKETS if length <= longest), Bucket.MONTH)
