"""Periods are divided as the clocks of a place show, on the days too on which they are changed."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_app.analytics.periods import Bucket, Period, bucket_starts, first_moment
from tests.orders_app.analytics.ordered import at

NEW_YORK, KOLKATA, LORD_HOWE = "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"
LENGTHS = {
    Bucket.MINUTE: timedelta(hours=1),
    Bucket.HOUR: timedelta(days=2),
    Bucket.DAY: timedelta(days=12),
    Bucket.WEEK: timedelta(days=60),
    Bucket.MONTH: timedelta(days=200),
}


def starts(bucket: str, zone: str, start: str, end: str) -> list[str]:
    """When the buckets start, as the clocks there show it."""
    place = ZoneInfo(zone)
    found = bucket_starts(Period(at(start), at(end), place), Bucket(bucket))
    return [each.astimezone(place).strftime("%m-%d %H:%M %z") for each in found]


def test_an_hour_that_comes_twice_makes_two_buckets_and_one_that_is_skipped_none() -> None:
    assert starts("hour", NEW_YORK, "2026-11-01T05:00", "2026-11-01T08:00") == [
        "11-01 01:00 -0400",
        "11-01 01:00 -0500",
        "11-01 02:00 -0500",
    ]
    assert starts("hour", NEW_YORK, "2026-03-08T06:00", "2026-03-08T08:00") == [
        "03-08 01:00 -0500",
        "03-08 03:00 -0400",
    ]


def test_hours_begin_with_those_of_the_place() -> None:
    assert starts("hour", KOLKATA, "2026-11-01T04:00", "2026-11-01T05:00") == [
        "11-01 09:00 +0530",
        "11-01 10:00 +0530",
    ]


def test_clocks_that_are_changed_by_half_an_hour_end_a_bucket() -> None:
    assert starts("hour", LORD_HOWE, "2026-04-04T14:00", "2026-04-04T16:00") == [
        "04-05 01:00 +1100",
        "04-05 01:30 +1030",
        "04-05 02:00 +1030",
    ]
    assert starts("hour", LORD_HOWE, "2026-10-03T15:00", "2026-10-03T16:30") == [
        "10-04 01:00 +1030",
        "10-04 02:30 +1100",
        "10-04 03:00 +1100",
    ]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (NEW_YORK, "2026-03-08", 23),
        (NEW_YORK, "2026-11-01", 25),
        (KOLKATA, "2026-11-01", 24),
        (LORD_HOWE, "2026-10-04", 23.5),
        (LORD_HOWE, "2026-04-05", 24.5),
    ],
)
def test_a_day_is_as_long_as_the_clocks_make_it(zone: str, day: str, hours: float) -> None:
    place, date = ZoneInfo(zone), datetime.fromisoformat(day).date()
    start, end = first_moment(date, place), first_moment(date + timedelta(days=1), place)
    assert end - start == timedelta(hours=hours)
    assert [*bucket_starts(Period(start, end, place), Bucket.DAY)] == [start]


def test_weeks_begin_on_mondays_and_months_on_their_first_day() -> None:
    assert starts("week", NEW_YORK, "2026-10-30", "2026-11-10") == [
        "10-26 00:00 -0400",
        "11-02 00:00 -0500",
        "11-09 00:00 -0500",
    ]
    assert starts("month", NEW_YORK, "2026-11-15", "2027-01-02") == [
        "11-01 00:00 -0400",
        "12-01 00:00 -0500",
        "01-01 00:00 -0500",
    ]


def test_a_day_that_a_place_skipped_is_no_bucket() -> None:
    assert starts("day", "Pacific/Apia", "2011-12-29T10:00", "2011-12-30T11:00") == [
        "12-29 00:00 -1000",
        "12-31 00:00 +1400",
    ]


@given(
    st.sampled_from(sorted(available_timezones())),
    st.datetimes(datetime(1970, 1, 2), datetime(2037, 1, 1)),  # noqa: DTZ001 - Hypothesis wants them so
    st.sampled_from(Bucket),
)
def test_buckets_follow_one_another_and_contain_the_whole_period(
    zone: str, start: datetime, bucket: Bucket
) -> None:
    start = start.replace(tzinfo=UTC)
    end = start + LENGTHS[bucket]
    found = list(bucket_starts(Period(start, end, ZoneInfo(zone)), bucket))
    assert found[0] <= start
    assert found[-1] < end
    assert all(one < next_one for one, next_one in pairwise(found))
