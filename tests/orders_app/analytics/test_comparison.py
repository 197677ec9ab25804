"""The period before a period has its length by the calendar of the place, and buckets as far in it."""

from zoneinfo import ZoneInfo

import pytest

from orders_app.analytics.comparison import counterparts, period_before
from orders_app.analytics.periods import Bucket, Period, bucket_starts
from tests.orders_app.analytics.ordered import at

BERLIN, HAVANA = "Europe/Berlin", "America/Havana"
LATER = "2027-01-01"


def period(start: str, end: str, zone: str = "UTC") -> Period:
    """The period from one time to another, by the clocks there."""
    place = ZoneInfo(zone)
    first, last = (at(time).replace(tzinfo=place).astimezone(ZoneInfo("UTC")) for time in (start, end))
    return Period(first, last, place)


def before(start: str, end: str, zone: str = "UTC", *, now: str = LATER) -> tuple[str, str]:
    """The period before, as the clocks there show it."""
    found = period_before(period(start, end, zone), at(now))
    first, last = (moment.astimezone(found.zone).strftime("%Y-%m-%d %H:%M") for moment in found[:2])
    return first, last


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-11-02", "2026-11-09", ("2026-10-26 00:00", "2026-11-02 00:00")),
        ("2026-11-01", "2026-12-01", ("2026-10-01 00:00", "2026-11-01 00:00")),
        ("2026-01-01", "2026-04-01", ("2025-10-01 00:00", "2026-01-01 00:00")),
        ("2026-11-26T10:00", "2026-11-26T11:30", ("2026-11-26 08:30", "2026-11-26 10:00")),
    ],
    ids=("days", "a month", "months", "hours"),
)
def test_it_is_as_long_by_the_calendar(start: str, end: str, expected: tuple[str, str]) -> None:
    assert before(start, end) == expected


def test_days_are_those_of_the_place_where_clocks_are_changed_too() -> None:
    # Clocks are put back on 25 October in Berlin, and in Havana at midnight of 8 March put forward.
    assert before("2026-10-25", "2026-10-26", BERLIN) == ("2026-10-24 00:00", "2026-10-25 00:00")
    assert before("2026-03-08T01:00", "2026-03-09", HAVANA) == ("2026-03-07 00:00", "2026-03-08 01:00")


def test_before_a_period_that_goes_on_it_ends_as_far_from_its_beginning() -> None:
    now = "2026-11-26T09:30"
    assert before("2026-11-26", "2026-11-27", now=now) == ("2026-11-25 00:00", "2026-11-25 09:30")
    assert before("2026-11-01", "2026-12-01", now=now) == ("2026-10-01 00:00", "2026-10-26 09:30")
    # In March there is a 31st, in February none: the month before ends where this one begins.
    assert before("2026-03-01", "2026-04-01", now="2026-03-31T10:00")[1] == "2026-03-01 00:00"
    # 09:30 in Berlin, and 09:30 there a week before, when clocks showed another offset.
    berlin = before("2026-10-26", "2026-11-02", BERLIN, now="2026-10-26T08:30")
    assert berlin == ("2026-10-19 00:00", "2026-10-19 09:30")


def compared(bucket: Bucket, start: str, end: str, zone: str = "UTC") -> list[str]:
    """When the buckets of the period before begin, as the clocks there show it."""
    asked = period(start, end, zone)
    starts = list(bucket_starts(asked, bucket))
    found = counterparts(asked, period_before(asked, at(LATER)), bucket, starts)
    return [moment.astimezone(asked.zone).strftime("%m-%d %H:%M") for moment in found]


def test_buckets_are_compared_with_those_as_far_from_the_beginning() -> None:
    assert compared(Bucket.DAY, "2026-11-24", "2026-11-26") == ["11-22 00:00", "11-23 00:00"]
    assert compared(Bucket.MONTH, "2026-01-01", "2026-03-01") == ["11-01 00:00", "12-01 00:00"]
    # The first week begins on Monday, two days before the period.
    assert compared(Bucket.WEEK, "2026-11-25", "2026-12-02") == ["11-16 00:00", "11-23 00:00"]
    # December has a day more than November.
    assert len(compared(Bucket.DAY, "2026-12-01", "2027-01-01")) == 30


def test_buckets_are_in_order_where_an_hour_comes_twice() -> None:
    hours = compared(Bucket.HOUR, "2026-10-25", "2026-10-26", BERLIN)
    assert len(hours) == 25
    assert hours == sorted(hours)
    assert (hours[2], hours[3], hours[4]) == ("10-24 02:00", "10-24 02:00", "10-24 03:00")
