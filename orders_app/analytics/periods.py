"""The time that figures are about, and its division into buckets by the clocks of a place.

Buckets are computed here and not by PostgreSQL, whose rules of time zones may be of another year than
Python's: there shall be one answer to when a day begins.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)


class Bucket(StrEnum):
    """How a period is divided. A week begins on Monday, as in ISO 8601."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Period(NamedTuple):
    """From `start` (included) to `end` (not included), both in UTC; `zone` says where a day begins."""

    start: datetime
    end: datetime
    zone: ZoneInfo


LENGTHS = {Bucket.MINUTE: timedelta(minutes=1), Bucket.HOUR: timedelta(hours=1)}


def first_moment(day: date, zone: ZoneInfo) -> datetime:
    """When this day begins there, in UTC. Where clocks skip midnight, that is when they are put forward.

    Raises OverflowError at the ends of the calendar.
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)


def month_begin(day: date, months: int) -> date:
    """The first day of the month so many months after that of this day; before it for a negative number."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def bucket_starts(period: Period, bucket: Bucket) -> Iterator[datetime]:
    """When the buckets of this period begin, in UTC and without gaps; the first may begin before the period.

    Hours and minutes are those that the clocks show. An hour that comes twice, because clocks are put back,
    makes two buckets; where clocks are changed within an hour, a bucket ends and the next one begins.
    """
    starts = _by_clock(period, LENGTHS[bucket]) if bucket in LENGTHS else _by_calendar(period, bucket)
    return takewhile(lambda start: start < period.end, starts)


def _by_calendar(period: Period, bucket: Bucket) -> Iterator[datetime]:
    day = _first_day(period.start.astimezone(period.zone).date(), bucket)
    last = None
    while True:
        start = first_moment(day, period.zone)
        if start != last:  # a day that a place has skipped, to change its side of the date line
            yield start
        day, last = _next_day(day, bucket), start


def _first_day(day: date, bucket: Bucket) -> date:
    match bucket:
        case Bucket.WEEK:
            return day - timedelta(days=day.weekday())
        case Bucket.MONTH:
            return day.replace(day=1)
    return day


def _next_day(day: date, bucket: Bucket) -> date:
    match bucket:
        case Bucket.WEEK:
            return day + timedelta(weeks=1)
        case Bucket.MONTH:
            # From the first of a month, 31 days lead into the next one.
            return (day + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=1)


def _by_clock(period: Period, length: timedelta) -> Iterator[datetime]:
    zone = period.zone
    begun = period.start - _shown_since(period.start, zone, length)
    start = _unless_changed(begun, period.start, zone, begun)
    while True:
        yield start
        end = start + length - _shown_since(start, zone, length)
        start = _unless_changed(start, end, zone, end)


def _shown_since(moment: datetime, zone: ZoneInfo, length: timedelta) -> timedelta:
    """How long ago, by the clocks as they are set now, the minute or hour began."""
    shown = moment.astimezone(zone).replace(tzinfo=UTC)
    return (shown - datetime.min.replace(tzinfo=UTC)) % length


def _unless_changed(earlier: datetime, later: datetime, zone: ZoneInfo, usual: datetime) -> datetime:
    """The usual moment; where clocks are changed after `earlier`, up to `later`, the moment of the change."""
    if _offset(earlier, zone) == _offset(later, zone):
        return usual
    while later - earlier > SECOND:
        middle = earlier + (later - earlier) // 2
        middle -= timedelta(microseconds=middle.microsecond)
        if _offset(middle, zone) == _offset(later, zone):
            later = middle
        else:
            earlier = middle
    return later


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()
