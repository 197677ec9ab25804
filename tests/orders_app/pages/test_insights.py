"""The page of figures: what staff ask for, what it shows beside the period before, what has no meaning."""

import json
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from orders_app.analytics.periods import Bucket
from orders_app.pages.insights.ranges import Range, period_of, usual_bucket
from orders_app.state_machine import OrderStatus
from tests.orders_app.analytics.ordered import RUG, VASE, at, ordered
from tests.orders_app.pages.browsing import staff_browser
from tests.orders_app.pages.insights_page import ADDRESS, open_insights, row

pytestmark = pytest.mark.django_db(transaction=True)

DAY = {"from": "2026-11-20", "to": "2026-11-20"}
QUERIES = 70
"""However many orders there are: twenty queries a period, and those of snapshots, session and user."""


@pytest.fixture
def staff(transactional_db: None) -> Client:
    return staff_browser()


@pytest.fixture
def two_days(transactional_db: None) -> None:
    """Two orders of 20 November, one of which is paid and one rejected, and one paid order of the 19th."""
    ordered(
        "2026-11-20T09:30",
        *(RUG, VASE),
        status=OrderStatus.PROCESSING,
        reserved_at=at("2026-11-20T09:30:01"),
        paid_at=at("2026-11-20T09:30:03"),
        confirmed_at=at("2026-11-20T09:30:03"),
    )
    ordered(
        "2026-11-20T12:00",
        VASE,
        user_id=2,
        status=OrderStatus.CANCELLED,
        rejected=True,
        rejected_products=("vase",),
        cancelled_at=at("2026-11-20T12:00:01"),
        cancel_code="INSUFFICIENT_STOCK",
    )
    ordered(
        "2026-11-19T10:00",
        RUG,
        status=OrderStatus.PROCESSING,
        paid_at=at("2026-11-19T10:00:05"),
        confirmed_at=at("2026-11-19T10:00:05"),
    )
    ordered("2026-11-20T10:00", ("rug", 1, "1500"), currency="JPY", paid_at=at("2026-11-20T10:01"))


@pytest.mark.usefixtures("two_days")
def test_each_figure_stands_beside_that_of_the_period_before(staff: Client) -> None:
    page = open_insights(staff, **DAY)
    assert page.status_code == 200
    assert row(page, "Revenue")[:2] == [
        "15.00 USD",
        "+50 % before: 10.00 USD paid or delivered, less refunds",
    ]
    assert row(page, "Orders")[:2] == ["2", "+100 % before: 1"]
    assert row(page, "Rejected for lack of stock") == ["50 %", "+50 points before: 0 % 1 orders"]
    assert row(page, "Median time to confirm") == ["3 s", "\u221240 % before: 5 s 95 % within 3 s"]
    assert row(page, "Paid") == ["1", "50 %", "100 %"]
    assert row(page, "Placed to confirmed 1 orders") == ["3 s", "5 s", "3 s", "3 s"]
    assert row(page, "Not enough in stock") == ["1", "100 %", "\u2013"]
    assert row(page, "Vase") == ["5.00 USD", "4", "2", "1", "Home"]
    assert "19 Nov 2026" in page.content.decode()
    assert "JPY 1 (1,500" in re.sub(r"<[^>]+>|&nbsp;", "", page.content.decode())


@pytest.mark.usefixtures("two_days")
def test_without_a_comparison_no_figure_of_before_is_read_or_shown(staff: Client) -> None:
    page = open_insights(staff, **DAY, compare="none")
    assert row(page, "Orders")[:2] == ["2", ""]
    assert row(page, "Paid") == ["1", "50 %"]
    assert chart_data(page)["course"]["measures"]["orders"]["before"] == [None] * 24


@pytest.mark.usefixtures("two_days")
def test_the_charts_have_the_figures_of_the_tables(staff: Client) -> None:
    page = open_insights(staff, **DAY, bucket="hour")
    course = chart_data(page)["course"]
    assert course["labels"][9] == "20 Nov, 09:00"
    assert course["measures"]["revenue"]["now"][9] == 15.0
    assert course["measures"]["revenue"]["before"][10] == 10.0
    assert row(page, "20 Nov, 09:00") == ["15.00 USD", "0.00 USD", "1", "0", "3", "0", "0", "3 s", "3 s"]
    assert chart_data(page)["confirmations"]["lines"]["p50"]["now"][9] == 3.0
    assert chart_data(page)["funnel"]["now"] == [2, 1, 1, 0, 0]


@pytest.mark.usefixtures("two_days")
def test_the_figures_alone_are_those_of_the_page(staff: Client) -> None:
    figures = open_insights(staff, f"{ADDRESS}figures/", **DAY)
    assert "<html" not in figures.content.decode()
    assert row(figures, "Revenue") == row(open_insights(staff, **DAY), "Revenue")
    assert open_insights(staff, f"{ADDRESS}figures/", bucket="year").status_code == 400


@pytest.mark.usefixtures("two_days")
def test_days_are_those_of_the_viewer_unless_a_zone_is_asked_for(staff: Client) -> None:
    staff.cookies["tz"] = "Pacific/Auckland"  # thirteen hours ahead
    assert row(open_insights(staff, **DAY), "Orders")[0] == "1"
    assert row(open_insights(staff, **DAY, tz="UTC"), "Orders")[0] == "2"
    assert row(open_insights(staff, **DAY, currency="JPY"), "Revenue")[0] == "1,500 JPY"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"from": "2026-11-20", "to": "2026-11-19"}, "The last day is before the first one."),
        ({"from": "2010-01-01", "to": "2026-11-19"}, "A period has at most 3660 days."),
        ({"from": "1492-10-12"}, "The year must be from 1970 to 2999."),
        ({"from": "yesterday"}, "Enter a valid date."),
        ({"range": "90d", "bucket": "minute"}, "These are more than 750 steps"),
        ({"tz": "Middle-earth/Shire"}, "Choose a time zone of the list."),
        ({"currency": "<script>"}, "Choose a currency of the list."),
        ({"bucket": "year"}, "Select a valid choice."),
        ({"range": "ever"}, "Select a valid choice."),
    ],
)
def test_a_question_without_a_meaning_is_shown_again_with_what_is_wrong(
    staff: Client, asked: dict[str, str], sentence: str
) -> None:
    page = open_insights(staff, **asked)
    assert page.status_code == 400
    assert sentence in page.content.decode()
    assert "No figures for this" in page.content.decode()
    assert "<script>" not in page.content.decode()


def test_nothing_ordered_is_said_and_no_error(staff: Client) -> None:
    for asked in ({}, {"range": "hour"}, {"from": "2030-01-01", "to": "2030-01-02"}):
        page = open_insights(staff, **asked)
        assert page.status_code == 200, asked
        assert "No products were ordered" in page.content.decode()
        assert "the analytics worker has not run" in page.content.decode()


def test_a_page_costs_the_same_however_many_orders_there_are(
    staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for hour in range(24):
        ordered(f"2026-11-20T{hour:02}:00", RUG, VASE)
    with django_assert_max_num_queries(QUERIES):
        open_insights(staff, **DAY)


def test_the_page_is_for_staff_alone(transactional_db: None) -> None:
    client = Client()
    assert client.get(ADDRESS)["Location"] == f"/login/?next={ADDRESS}"
    client.force_login(User.objects.create_user("carl"))
    assert client.get(ADDRESS).status_code == client.get(f"{ADDRESS}figures/").status_code == 403


def test_what_a_range_means_moves_with_the_clock() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    now = at("2026-11-26T23:30:20")  # the 27th in Berlin
    found = {
        chosen: [
            moment.astimezone(berlin).strftime("%m-%d %H:%M") for moment in period_of(chosen, now, berlin)[:2]
        ]
        for chosen in Range
    }
    assert found == {
        Range.HOUR: ["11-26 23:31", "11-27 00:31"],
        Range.TODAY: ["11-27 00:00", "11-28 00:00"],
        Range.YESTERDAY: ["11-26 00:00", "11-27 00:00"],
        Range.WEEK: ["11-21 00:00", "11-28 00:00"],
        Range.DAYS_30: ["10-29 00:00", "11-28 00:00"],
        Range.DAYS_90: ["08-30 00:00", "11-28 00:00"],
        Range.THIS_MONTH: ["11-01 00:00", "12-01 00:00"],
        Range.LAST_MONTH: ["10-01 00:00", "11-01 00:00"],
        Range.YEAR: ["12-01 00:00", "12-01 00:00"],
    }
    assert {chosen: usual_bucket(period_of(chosen, now, berlin)) for chosen in Range} == {
        Range.HOUR: Bucket.MINUTE,
        Range.TODAY: Bucket.HOUR,
        Range.YESTERDAY: Bucket.HOUR,
        Range.WEEK: Bucket.DAY,
        Range.DAYS_30: Bucket.DAY,
        Range.DAYS_90: Bucket.DAY,
        Range.THIS_MONTH: Bucket.DAY,
        Range.LAST_MONTH: Bucket.DAY,
        Range.YEAR: Bucket.MONTH,
    }


def test_steps_to_come_are_left_out(staff: Client) -> None:
    ordered(timezone.now().isoformat())
    month = open_insights(staff, range="month")
    assert len(chart_data(month)["course"]["labels"]) == timezone.now().day
    assert "so far" in month.content.decode()


def chart_data(page: Any) -> Any:
    """What the charts of the page draw."""
    found = re.search(
        r'<script id="insights-data" type="application/json">(.*?)</script>', page.content.decode()
    )
    assert found
    return json.loads(found[1])
