"""The figures of orders that were placed, paid, shipped and cancelled as ever are those computed by hand."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from bson import Decimal128
from django.contrib.auth.models import User
from django.db import connection, transaction

from orders_app.analytics.copies import copy_in_use, other_copy, switch_to
from orders_app.analytics.from_log import log_slices
from orders_app.analytics.rebuild import rebuild
from orders_app.analytics.selection import one_snapshot, read
from orders_app.document import OrderDocument
from orders_app.models import AnalyticsOrderA, AnalyticsOrderB
from orders_app.services.change_order import delete_order
from orders_app.state_machine import OrderStatus, PaymentMethod
from tests.concurrency import result_of, run_beside, start_beside
from tests.orders_app.analytics.ordered import ordered
from tests.orders_app.api.api_users import ApiUser
from tests.orders_app.ordering import STAFF, OrderPlacer, answer, move, rejected, reserved
from tests.orders_app.paying import GOOD, Gateway, refund
from tests.orders_app.services.test_money_laws import settle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_gateway")]

ROUTES = ("summary", "timeseries", "products", "funnel", "latency", "reasons")


@pytest.fixture
def staff(transactional_db: None) -> ApiUser:
    return ApiUser(User.objects.create_user("sam", is_staff=True).pk, is_staff=True)


class Shop:
    """Orders of lamps for 10.00 and ropes for 3.33, by two customers."""

    def __init__(self, placer: OrderPlacer) -> None:
        self.placer = placer
        self.lamp = placer.catalogue.plant(name="Lamp", price=Decimal128("10.00"), category="Light")
        self.rope = placer.catalogue.add("Rope", "3.33")
        self.gateway = Gateway()

    def place(self, lamps: int, ropes: int, **given: Any) -> OrderDocument:
        items = [(self.lamp, lamps), (self.rope, ropes)]
        return self.placer.place_items(*(item for item in items if item[1]), **given).order

    def place_paid(self, lamps: int, ropes: int) -> OrderDocument:
        order = self.place(lamps, ropes, payment_method=PaymentMethod.CREDIT_CARD, payment_token=GOOD)
        answer(reserved(order))
        settle(order, self.gateway)
        return order


@pytest.fixture
def live_a_day(placer: OrderPlacer) -> None:
    """Six orders with all that can become of them, and the read models made from their log."""
    shop = Shop(placer)
    delivered = shop.place(2, 1)  # 23.33, paid on delivery
    answer(reserved(delivered))
    move(delivered, OrderStatus.SHIPPED)
    move(delivered, OrderStatus.DELIVERED)
    delete_order(order_id=delivered.id, origin=STAFF)
    part = shop.place_paid(1, 2)  # 16.66, of which 5.00 go back
    refund(part, "5.00")
    settle(part, shop.gateway)
    cancelled = shop.place_paid(1, 0)  # 10.00, all of which goes back
    move(cancelled, OrderStatus.CANCELLED)
    settle(cancelled, shop.gateway)
    other = User.objects.create_user("other").pk
    answer(rejected(shop.place(5, 1, user_id=other)))
    shop.place(0, 3, user_id=other)
    shop.place_paid(0, 1)  # 3.33
    rebuild(log_slices())


@pytest.mark.usefixtures("live_a_day")
def test_the_figures_of_a_day_are_as_computed_by_hand(staff: ApiUser) -> None:
    def ask(route: str) -> Any:
        return staff.request("GET", f"analytics/{route}/").json()

    summary = ask("summary")
    assert {name: summary[name] for name in list(summary)[4:15]} == {
        "orders": 6,
        "paidOrders": 4,
        "revenue": "38.32",  # 23.33 + 11.66 + 0 + 3.33
        "averageOrderValue": "9.58",
        "pieces": 17,
        "customers": 2,
        "repeatCustomers": 2,
        "cancelled": 2,
        "rejected": 1,
        "rejectionRate": 0.166667,
        "cancelRate": 0.333333,
    }
    assert [each["orders"] for each in summary["byStatus"]] == [1, 2, 0, 1, 2]
    assert [each["orders"] for each in ask("funnel")["results"]] == [6, 4, 4, 1, 1]
    assert [each["count"] for each in ask("latency")["results"]] == [4, 4, 1, 1]
    assert {each["code"]: each["orders"] for each in ask("reasons")["results"]} == {
        "INSUFFICIENT_STOCK": 1,
        "STAFF_REQUEST": 1,
    }
    products = [
        {name: each[name] for name in each if name != "productId"} for each in ask("products")["results"]
    ]
    assert products == [
        # Of 11.66, 10.00 / 16.66 are the lamp's: 6.9988.
        {
            "productName": "Lamp",
            "category": "Light",
            "orders": 4,
            "pieces": 9,
            "revenue": "27.00",
            "rejected": 1,
        },
        {
            "productName": "Rope",
            "category": None,
            "orders": 5,
            "pieces": 8,
            "revenue": "11.32",
            "rejected": 0,
        },
    ]
    days = ask("timeseries")["results"]
    assert sum(Decimal(day["revenue"]) for day in days) == Decimal("38.32")
    assert [sum(day[name] for day in days) for name in ("orders", "pieces", "cancelled", "rejected")] == [
        6,
        17,
        2,
        1,
    ]


@pytest.mark.usefixtures("live_a_day")
def test_figures_that_are_made_anew_are_the_same_bytes(staff: ApiUser) -> None:
    def files() -> list[Any]:
        return [staff.request("GET", f"analytics/{route}/?format=csv").content for route in ROUTES]

    before = files()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM analytics_order; DELETE FROM analytics_line")
    assert files() != before
    rebuild(log_slices())
    assert files() == before


def orders_read() -> list[tuple[int]]:
    with one_snapshot():
        return list(read("SELECT count(*) FROM analytics_order", {}))


def test_a_switch_is_seen_whole_by_a_query_that_began_before_it(transactional_db: None) -> None:
    ordered("2026-11-20T10:00")
    new = other_copy(copy_in_use())
    with transaction.atomic():
        switch_to(new)
        reading = start_beside(orders_read, until=a_reader_waits)
        run_beside(lambda: fill(new, 3))
    assert result_of(reading) == [(3,)]


def a_reader_waits() -> bool:
    [[waits]] = read("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND NOT granted)", {})
    return bool(waits)


def fill(copy: str, orders: int) -> None:
    model: Any = AnalyticsOrderA if copy == "a" else AnalyticsOrderB
    model.objects.bulk_create(model(order_id=uuid4()) for _ in range(orders))
