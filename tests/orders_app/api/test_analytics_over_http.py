"""Analytics over HTTP: figures that were computed by hand, in JSON and CSV, and what cannot be asked."""

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from orders_app.analytics import queries, selection
from orders_app.analytics.selection import one_snapshot, read
from orders_app.models import AnalyticsLine, AnalyticsOrder
from orders_app.state_machine import OrderStatus, PaymentMethod
from tests.orders_app.analytics.ordered import RUG, VASE, at, ordered
from tests.orders_app.api.api_users import ApiUser, attributes, codes
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db(transaction=True)

DAY = "from=2026-11-20&to=2026-11-20"
ROUTES = ("summary", "timeseries", "products", "funnel", "latency", "reasons")


@pytest.fixture
def day_of_orders(transactional_db: None) -> None:
    """The orders of 20 November, and some of the day before and of the day after."""
    ordered("2026-11-19T23:59:59.999")
    cancelled: Any = {"status": OrderStatus.CANCELLED, "cancelled_at": at("2026-11-19T03:00")}
    ordered("2026-11-19T02:00", **cancelled, cancel_code="CUSTOMER_REQUEST")
    ordered("2026-11-19T02:00", **cancelled)
    ordered(  # delivered and paid on delivery
        "2026-11-20T00:00",
        *(RUG, VASE),
        payment_method=PaymentMethod.CASH_ON_DELIVERY,
        status=OrderStatus.DELIVERED,
        reserved_at=at("2026-11-20T00:00:01"),
        confirmed_at=at("2026-11-20T00:00:02"),
        shipped_at=at("2026-11-20T01:00:02"),
        delivered_at=at("2026-11-21T01:00:02"),
        paid_at=at("2026-11-21T01:00:02"),
    )
    ordered(  # paid, 5.01 given back
        "2026-11-20T09:30",
        *(RUG, VASE),
        status=OrderStatus.PROCESSING,
        user_id=2,
        reserved_at=at("2026-11-20T09:30:03"),
        paid_at=at("2026-11-20T09:30:05"),
        confirmed_at=at("2026-11-20T09:30:06"),
        refunded="5.01",
    )
    ordered(  # paid, cancelled, and all given back
        "2026-11-20T09:45",
        VASE,
        status=OrderStatus.CANCELLED,
        user_id=2,
        reserved_at=at("2026-11-20T09:44:59"),
        paid_at=at("2026-11-20T09:45:05"),
        confirmed_at=at("2026-11-20T09:45:10"),
        refunded="5.00",
        cancelled_at=at("2026-11-20T10:00"),
        cancel_code="CUSTOMER_REQUEST",
    )
    ordered(  # rejected for want of vases
        "2026-11-20T23:59:59.999",
        *(RUG, VASE),
        status=OrderStatus.CANCELLED,
        user_id=3,
        rejected=True,
        rejected_products=("vase",),
        cancelled_at=at("2026-11-21T00:00:01"),
        cancel_code="INSUFFICIENT_STOCK",
    )
    ordered("2026-11-20T12:00", RUG, user_id=4)
    ordered("2026-11-20T12:00", ("rug", 1, "1500"), user_id=4, currency="JPY", paid_at=at("2026-11-20T12:01"))
    ordered("2026-11-21T00:00")


def ask(staff: ApiUser, route: str, query: str = DAY) -> Any:
    answer = staff.request("GET", f"analytics/{route}/?{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def the_summary_is_as_computed_by_hand(staff: ApiUser) -> None:
    summary = ask(staff, "summary")
    figures = {name: value for name, value in summary.items() if not name.startswith("by")}
    assert figures == {
        "from": "2026-11-20T00:00:00Z",
        "to": "2026-11-21T00:00:00Z",
        "tz": "UTC",
        "currency": "USD",
        "orders": 5,
        "paidOrders": 3,
        "revenue": "24.99",  # 15.00 + (15.00 - 5.01) + (5.00 - 5.00)
        "averageOrderValue": "8.33",
        "pieces": 12,
        "customers": 4,
        "repeatCustomers": 1,
        "cancelled": 2,
        "rejected": 1,
        "rejectionRate": 0.2,
        "cancelRate": 0.4,
        "asOf": None,
        "lagSeconds": None,
    }
    assert [(each["label"], each["orders"]) for each in summary["byStatus"]] == [
        ("Pending", 1),
        ("Processing", 1),
        ("Shipped", 0),
        ("Delivered", 1),
        ("Cancelled", 2),
    ]
    by_method = {each["label"]: (each["orders"], each["revenue"]) for each in summary["byPaymentMethod"]}
    assert by_method == dict.fromkeys(PaymentMethod.labels, (0, "0.00")) | {
        "Credit card": (4, "9.99"),
        "Cash on delivery": (1, "15.00"),
    }


def amounts_of_different_currencies_are_never_added_up(staff: ApiUser) -> None:
    yen = ask(staff, "summary", f"{DAY}&currency=JPY")
    assert (yen["orders"], yen["revenue"], yen["averageOrderValue"]) == (1, "1500", "1500")
    assert yen["byCurrency"] == ask(staff, "summary")["byCurrency"]
    assert yen["byCurrency"] == [
        {"currency": "JPY", "orders": 1, "revenue": "1500"},
        {"currency": "USD", "orders": 5, "revenue": "24.99"},
    ]
    assert ask(staff, "funnel")["results"][0]["orders"] == 6
    assert ask(staff, "funnel", f"{DAY}&currency=USD")["results"][0]["orders"] == 5


def the_buckets_are_as_computed_by_hand(staff: ApiUser) -> None:
    hours = ask(staff, "timeseries", f"{DAY}&bucket=hour")["results"]
    empty = {"orders": 0, "revenue": "0.00", "pieces": 0, "cancelled": 0, "rejected": 0}
    expected = {f"2026-11-20T{hour:02}:00:00Z": empty for hour in range(24)} | {
        "2026-11-20T00:00:00Z": empty | {"orders": 1, "revenue": "15.00", "pieces": 3},
        "2026-11-20T09:00:00Z": empty | {"orders": 2, "revenue": "9.99", "pieces": 5, "cancelled": 1},
        "2026-11-20T12:00:00Z": empty | {"orders": 1, "pieces": 1},
        "2026-11-20T23:00:00Z": empty | {"orders": 1, "pieces": 3, "cancelled": 1, "rejected": 1},
    }
    assert hours == [{"start": start, **figures} for start, figures in expected.items()]
    [week] = ask(staff, "timeseries", f"{DAY}&bucket=week")["results"]
    assert (week["start"], week["orders"]) == ("2026-11-16T00:00:00Z", 5)


def days_are_those_of_the_time_zone(staff: ApiUser) -> None:
    query = "from=2026-11-19&to=2026-11-20&tz=America/New_York"
    answer = ask(staff, "timeseries", query)
    assert (answer["from"], answer["to"]) == ("2026-11-19T05:00:00Z", "2026-11-21T05:00:00Z")
    assert [(day["start"], day["orders"]) for day in answer["results"]] == [
        ("2026-11-19T05:00:00Z", 2),
        ("2026-11-20T05:00:00Z", 5),
    ]


def products_are_as_computed_by_hand_and_add_up_to_the_orders(
    staff: ApiUser,
) -> None:
    page = ask(staff, "products")
    assert (page["count"], page["next"], page["previous"]) == (2, None, None)
    rug = {"productId": "rug", "productName": "Rug", "category": "Home"}
    vase = {"productId": "vase", "productName": "Vase", "category": "Home"}
    assert page["results"] == [
        # Of 9.99 left of 15.00, two thirds are the rug's.
        rug | {"orders": 4, "pieces": 4, "revenue": "16.66", "rejected": 0},
        vase | {"orders": 4, "pieces": 8, "revenue": "8.33", "rejected": 1},
    ]
    for by in ("pieces", "rejections"):
        results = ask(staff, "products", f"{DAY}&by={by}")["results"]
        assert [each["productId"] for each in results] == ["vase", "rug"]


def test_a_product_has_the_name_and_category_of_its_last_order(staff: ApiUser) -> None:
    old, new = ordered("2026-11-20T10:00"), ordered("2026-11-20T11:00")
    AnalyticsLine.objects.filter(order_id=old).update(product_name="Zebra rug", category="")
    [rug] = ask(staff, "products")["results"]
    assert (rug["productName"], rug["category"], rug["orders"]) == ("Rug", "Home", 2)
    AnalyticsLine.objects.filter(order_id=new).update(category="")
    assert ask(staff, "products")["results"][0]["category"] is None


def test_products_have_pages(staff: ApiUser) -> None:
    ordered("2026-11-20T10:00", *((f"p{number}", 1, f"{number}.00") for number in range(5)))
    first = ask(staff, "products", f"{DAY}&by=pieces&pageSize=2")
    assert (first["count"], [each["productId"] for each in first["results"]]) == (5, ["p0", "p1"])
    last = staff.client.get(staff.client.get(first["next"]).json()["next"]).json()
    assert (last["next"], [each["productId"] for each in last["results"]]) == (None, ["p4"])
    assert staff.request("GET", f"analytics/products/?{DAY}&page=9").status_code == 404


def the_funnel_is_as_computed_by_hand(staff: ApiUser) -> None:
    stages = ask(staff, "funnel", f"{DAY}&currency=USD")["results"]
    assert [(each["stage"], each["orders"], each["share"]) for each in stages] == [
        ("placed", 5, 1),
        ("reserved", 3, 0.6),
        ("paid", 3, 0.6),
        ("shipped", 1, 0.2),
        ("delivered", 1, 0.2),
    ]


def latencies_are_exact(staff: ApiUser) -> None:
    # Reserved after 1, 3 and (by a clock that is behind) -1 seconds, confirmed after 2, 6 and 10.
    assert ask(staff, "latency")["results"] == [
        {"stage": "placed→reserved", "count": 3, "p50": 1, "p95": 2.8, "p99": 2.96},
        {"stage": "placed→confirmed", "count": 3, "p50": 6, "p95": 9.6, "p99": 9.92},
        {"stage": "confirmed→shipped", "count": 1, "p50": 3600, "p95": 3600, "p99": 3600},
        {"stage": "shipped→delivered", "count": 1, "p50": 86400, "p95": 86400, "p99": 86400},
    ]
    nobody = ask(staff, "latency", "from=2026-11-22&to=2026-11-22")["results"]
    assert nobody[0] == {"stage": "placed→reserved", "count": 0, "p50": None, "p95": None, "p99": None}


def reasons_are_counted(staff: ApiUser) -> None:
    assert ask(staff, "reasons")["results"] == [
        {"code": "CUSTOMER_REQUEST", "orders": 1},
        {"code": "INSUFFICIENT_STOCK", "orders": 1},
    ]
    assert ask(staff, "reasons", "from=2026-11-19&to=2026-11-20")["results"] == [
        {"code": "CUSTOMER_REQUEST", "orders": 2},
        {"code": "UNKNOWN", "orders": 1},
        {"code": "INSUFFICIENT_STOCK", "orders": 1},
    ]


def test_nothing_ordered_is_zeros_and_no_error(staff: ApiUser) -> None:
    summary = ask(staff, "summary")
    assert (summary["orders"], summary["revenue"], summary["averageOrderValue"]) == (0, "0.00", "0.00")
    assert (summary["rejectionRate"], summary["byCurrency"]) == (0, [])
    assert ask(staff, "products")["results"] == ask(staff, "reasons")["results"] == []
    assert [stage["share"] for stage in ask(staff, "funnel")["results"]] == [0] * 5


def test_an_order_of_which_only_later_messages_were_seen_counts_in_no_figure(staff: ApiUser) -> None:
    ordered("2026-11-20T10:00", total=None, pieces=None, user_id=None, currency="")
    AnalyticsOrder.objects.update(placed_at=None)
    assert ask(staff, "summary")["orders"] == 0


def test_without_a_period_the_last_30_days_are_given(staff: ApiUser) -> None:
    ordered(timezone.now().isoformat())
    answer = ask(staff, "timeseries", "tz=Australia/Lord_Howe")
    assert [day["orders"] for day in answer["results"]] == [0] * 29 + [1]
    before = ask(staff, "timeseries", "to=2026-03-10&tz=America/New_York")
    assert (before["from"], before["to"]) == ("2026-02-09T05:00:00Z", "2026-03-11T04:00:00Z")


def test_times_without_an_offset_are_those_of_the_time_zone(staff: ApiUser) -> None:
    query = "from=2026-11-20T10:00&to=2026-11-20T10:00:00.5Z&tz=Asia/Kolkata"
    answer = ask(staff, "funnel", query)
    assert (answer["from"], answer["to"]) == ("2026-11-20T04:30:00Z", "2026-11-20T10:00:00.500000Z")


MEANINGLESS = {
    "from=yesterday": "from invalid",
    "from=2026-13-01": "from invalid",
    "from=%00": "from invalid",
    "to=2026-11-20T25:00": "to invalid",
    "to=1700000000": "to invalid",
    "from=1969-12-31": "from year",
    "to=9999-12-31": "to year",
    "from=0001-01-01T00:00:00%2B14:00": "from year",
    "from=2026-11-20T10:00&to=2026-11-20T10:00": "from period_empty",
    "from=2026-11-21&to=2026-11-20": "from period_empty",
    "from=2016-11-20&to=2026-12-20": "from period_too_long",
    "tz=Mars/Olympus": "tz invalid",
    "tz=America": "tz invalid",
    "tz=../etc/passwd": "tz invalid",
    "tz=utc": "tz invalid",
    "currency=usd": "currency unknown",
    "currency=XXX": "currency unknown",
    "currency=%00": "currency unknown",
}
OF_ONE_ROUTE = {
    "timeseries/?bucket=year": "bucket invalid_choice",
    "timeseries/?bucket=minute&from=2026-11-01&to=2026-11-20": "bucket too_many_buckets",
    "products/?by=name": "by invalid_choice",
}


def test_what_cannot_be_asked_is_a_400_that_names_the_parameter(
    staff: ApiUser, subtests: pytest.Subtests
) -> None:
    everywhere = {f"{route}/?{query}": why for route in ROUTES for query, why in MEANINGLESS.items()}
    for query, why in (everywhere | OF_ONE_ROUTE).items():
        with subtests.test(query):
            refused = staff.request("GET", f"analytics/{query}")
            assert (refused.status_code, [*attributes(refused), *codes(refused)]) == (400, why.split())


def test_figures_are_not_to_be_stored(staff: ApiUser) -> None:
    for accepted in ("application/json", "text/csv"):
        answer = staff.request("GET", f"analytics/funnel/?{DAY}", headers={"Accept": accepted})
        assert answer["Cache-Control"] == "no-store"


def as_csv(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def csv_has_the_results_as_rows(staff: ApiUser) -> None:
    for route in ROUTES[1:]:
        results = ask(staff, route)["results"]
        rows = as_csv(staff.request("GET", f"analytics/{route}/?{DAY}&format=csv"))
        accepted = staff.request("GET", f"analytics/{route}/?{DAY}", headers={"Accept": "text/csv"})
        assert rows == as_csv(accepted)
        assert accepted["Content-Disposition"] == f'attachment; filename="{route}-2026-11-20-2026-11-20.csv"'
        assert rows == [{name: str(value) for name, value in result.items()} for result in results]


def a_form_in_the_address_goes_before_the_one_of_the_header(staff: ApiUser) -> None:
    answer = staff.request(
        "GET", f"analytics/funnel/?{DAY}&format=csv", headers={"Accept": "application/json"}
    )
    assert len(as_csv(answer)) == 5  # stages
    answer = staff.request("GET", f"analytics/funnel/?{DAY}&format=json", headers={"Accept": "text/csv"})
    assert len(answer.json()["results"]) == 5


def a_plus_that_is_not_escaped_is_read(staff: ApiUser) -> None:
    query = "from=2026-11-20T05:30:00+05:30&to=2026-11-20T12:00:00+0000"
    assert ask(staff, "summary", query)["from"] == "2026-11-20T00:00:00Z"


def csv_of_a_summary_has_one_row(staff: ApiUser) -> None:
    [row] = as_csv(staff.request("GET", f"analytics/summary/?{DAY}&format=csv"))
    assert (
        row.items()
        >= {
            "from": "2026-11-20T00:00:00Z",
            "currency": "USD",
            "orders": "5",
            "revenue": "24.99",
            "cancelRate": "0.4",
            "orders Cancelled": "2",
            "orders Credit card": "4",
            "revenue Cash on delivery": "15.00",
        }.items()
    )
    assert row.keys().isdisjoint({"asOf", "lagSeconds"})


DAY_CHECKS = (
    the_summary_is_as_computed_by_hand,
    amounts_of_different_currencies_are_never_added_up,
    the_buckets_are_as_computed_by_hand,
    days_are_those_of_the_time_zone,
    products_are_as_computed_by_hand_and_add_up_to_the_orders,
    the_funnel_is_as_computed_by_hand,
    latencies_are_exact,
    reasons_are_counted,
    csv_has_the_results_as_rows,
    a_form_in_the_address_goes_before_the_one_of_the_header,
    a_plus_that_is_not_escaped_is_read,
    csv_of_a_summary_has_one_row,
)


@pytest.mark.usefixtures("day_of_orders")
def test_of_a_day_of_orders(staff: ApiUser, subtests: pytest.Subtests) -> None:
    for check in DAY_CHECKS:
        with subtests.test(check.__name__):
            check(staff)


def test_csv_of_products_has_all_of_them_and_no_formula(staff: ApiUser) -> None:
    order = ordered("2026-11-20T10:00", *((f"p{number:03}", 1, "1.00") for number in range(150)))
    AnalyticsLine.objects.filter(order_id=order, product_id="p000").update(product_name="=1+1")
    rows = as_csv(staff.request("GET", f"analytics/products/?{DAY}&format=csv&pageSize=2"))
    assert (len(rows), rows[0]["productName"]) == (150, "'=1+1")


def test_refusals_are_json_where_csv_is_asked_for(customer: ApiUser, staff: ApiUser) -> None:
    for user, query, status in ((staff, "tz=Mars", 400), (customer, "", 403)):
        refused = user.request("GET", f"analytics/funnel/?format=csv&{query}")
        assert (refused.status_code, refused["Content-Type"]) == (status, "application/json")
        assert refused.json().keys() == {"type", "errors"}


def test_the_routes_have_browsable_pages() -> None:
    client = WsgiClient()
    client.force_login(User.objects.create_user("sam", is_staff=True))
    for route in ROUTES:
        page = client.get(f"/api/v1/analytics/{route}/", HTTP_ACCEPT="text/html")
        assert (page.status_code, page["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_a_query_that_takes_too_long_asks_for_a_shorter_period(
    staff: ApiUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "LONGEST_MILLISECONDS", 1)
    monkeypatch.setattr(queries, "FUNNEL", "SELECT 1, 1, 1, 1, 1 FROM pg_sleep(1)")
    refused = staff.request("GET", f"analytics/funnel/?{DAY}")
    assert (refused.status_code, codes(refused)) == (400, ["too_many_orders"])


def test_a_snapshot_is_read_only_and_of_one_moment(staff: ApiUser) -> None:
    ordered("2026-11-20T10:00")
    with one_snapshot():
        level = read("SELECT current_setting('transaction_isolation')", {})
        writes = read("SELECT current_setting('transaction_read_only')", {})
        locks = read("SELECT count(*) FROM pg_locks WHERE relation = 'analytics_order'::regclass", {})
    assert (level, writes, locks) == ([("repeatable read",)], [("on",)], [(1,)])
