"""The period before a period, with which its figures are compared.

It has the same length by the calendar: before whole months as many months, before whole days as many days,
before anything else as many seconds. Where the period still goes on, the one before it ends as far from its
beginning, so that the figures of this morning are not compared with those of a whole day.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate
from zoneinfo import ZoneInfo

from orders_app.analytics.periods import Bucket, Period, bucket_starts, first_moment, month_begin


def period_before(period: Period, now: datetime) -> Period:
    """The period before this one, up to where this one has come by now. Raises OverflowError."""
    start = _start_before(period)
    if not period.start < now < period.end:
        return Period(start, period.start, period.zone)
    return Period(start, min(_as_far(now, period, start), period.start), period.zone)


def counterparts(
    period: Period, before: Period, bucket: Bucket, starts: Sequence[datetime]
) -> list[datetime]:
    """When the buckets of the period before begin that are compared with those of the period, in order.

    There may be fewer than `starts`: a month may have fewer days than the next one.
    """
    if bucket == Bucket.MONTH:
        return list(bucket_starts(before, bucket))[: len(starts)]
    found = (_as_far(start, period, before.start) for start in starts)
    # Where clocks are put back, an hour comes twice: buckets never begin before the one before them.
    return [start for start in accumulate(found, max) if start < before.end]


def _start_before(period: Period) -> datetime:
    zone = period.zone
    if not (_begins_a_day(period.start, zone) and _begins_a_day(period.end, zone)):
        return period.start - (period.end - period.start)
    first, last = (moment.astimezone(zone).date() for moment in (period.start, period.end))
    if first.day == last.day == 1:
        months = (last.year - first.year) * 12 + last.month - first.month
        return first_moment(month_begin(first, -months), zone)
    return first_moment(first - (last - first), zone)


def _as_far(moment: datetime, period: Period, start: datetime) -> datetime:
    """The moment as far from `start` as this one is from the start of the period, by the clocks there."""
    zone = period.zone
    if not _begins_a_day(period.start, zone):
        return start + (moment - period.start)
    return _by_clock(_clock(start, zone) + (_clock(moment, zone) - _clock(period.start, zone)), zone)


def _begins_a_day(moment: datetime, zone: ZoneInfo) -> bool:
    return moment == first_moment(moment.astimezone(zone).date(), zone)


def _clock(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _by_clock(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)
