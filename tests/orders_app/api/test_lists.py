"""Lists: filtered, sorted and paged as requested; an invalid value is a 400."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User

from orders_app.document import OrderDocument
from orders_app.models import Order
from orders_app.services.change_order import update_order
from orders_app.state_machine import OrderStatus
from tests.orders_app.api.api_users import ApiUser, attributes
from tests.orders_app.ordering import STAFF, OrderPlacer

pytestmark = pytest.mark.django_db(transaction=True)


def listed(user: ApiUser, query: str = "", path: str = "orders/") -> list[str]:
    """The ids of the orders on the page."""
    response = user.request("GET", f"{path}?{query}")
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def ids(*orders: OrderDocument) -> list[str]:
    return [str(order.id) for order in orders]


def placed_at(order: OrderDocument, time: datetime) -> None:
    Order.objects.filter(pk=order.id).update(created_at=time)


def test_orders_are_filtered_by_one_status_or_several(placer: OrderPlacer, customer: ApiUser) -> None:
    pending = placer.place()
    processing = placer.place_and_move(OrderStatus.PROCESSING)
    cancelled = placer.place_and_move(OrderStatus.CANCELLED)
    assert listed(customer, "status=1") == ids(pending)
    assert listed(customer, "status=2,5") == ids(cancelled, processing)
    assert listed(customer, "status=4") == []
    assert listed(customer, "status=") == ids(cancelled, processing, pending)


def test_orders_are_filtered_by_time(placer: OrderPlacer, customer: ApiUser) -> None:
    january, february = placer.place(), placer.place()
    placed_at(january, datetime(2026, 1, 1, tzinfo=UTC))
    placed_at(february, datetime(2026, 2, 1, tzinfo=UTC))
    assert listed(customer, "createdAfter=2026-02-01T00:00:00Z") == ids(february)
    assert listed(customer, "createdBefore=2026-02-01T00:00:00Z") == ids(january)
    assert listed(customer, "createdAfter=2026-01-01&createdBefore=2026-02-02") == ids(february, january)
    assert listed(customer, "createdAfter=2026-02-01T00:30:00%2B01:00") == ids(february)
    assert listed(customer, "createdAfter=0001-01-01T00:00:00%2B14:00") == ids(february, january)
    assert listed(customer, "createdAfter=9999-12-31T23:00:00-14:00") == []
    assert listed(customer, "createdAfter=2026-01-31T16:00:00%2B16:00") == ids(february)


def test_orders_are_sorted_by_time_or_total_newest_first_unless_asked(
    placer: OrderPlacer, customer: ApiUser
) -> None:
    small, large, middle = (
        placer.place_items((placer.catalogue.add(price=price), 1)).order for price in ("1.00", "9.00", "5.00")
    )
    assert listed(customer) == ids(middle, large, small)
    assert listed(customer, "ordering=createdAt") == ids(small, large, middle)
    assert listed(customer, "ordering=-totalAmount") == ids(large, middle, small)
    assert listed(customer, "ordering=totalAmount,-createdAt") == ids(small, middle, large)
    assert listed(customer, "ordering=") == listed(customer, "")


def test_search_finds_by_number_tracking_number_and_product(placer: OrderPlacer, customer: ApiUser) -> None:
    lantern = placer.place_items((placer.catalogue.add("Storm Lantern"), 1)).order
    rope = placer.place_items((placer.catalogue.add("Rope"), 1)).order
    update_order(order_id=rope.id, tracking_number="1Z-999", origin=STAFF)
    assert listed(customer, f"search={lantern.order_number.lower()}") == ids(lantern)
    assert listed(customer, "search=lant+storm") == ids(lantern)
    assert listed(customer, "search=1Z-999") == ids(rope)
    assert listed(customer, "search=nothing") == listed(customer, "search='%3A!%26") == []


def test_staff_find_orders_by_customer(placer: OrderPlacer, staff: ApiUser, customer: ApiUser) -> None:
    walter = User.objects.create_user("walter", email="walter@example.com")
    order = placer.place_items((placer.catalogue.add(), 1), user_id=walter.pk).order
    assert listed(staff, "search=walt") == listed(staff, "search=walter@example.com") == ids(order)
    assert listed(customer, "search=walt") == []
    part = order.order_number[4:9]
    assert listed(staff, f"search={part}") == ids(order)
    assert listed(customer, f"search={part}") == []


def test_of_very_many_orders_that_match_staff_find_the_newest_and_a_header_says_so(
    placer: OrderPlacer, staff: ApiUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bound, value in {"SEARCHED_FIRST": 2, "MANY_MATCHES": 2, "MOST_MATCHES": 3}.items():
        monkeypatch.setattr(f"orders_app.selectors.{bound}", value)
    orders = [placer.place() for _ in range(3)]
    assert only_newest(staff, "search=lant") == (ids(*reversed(orders)), None)
    orders.append(placer.place())
    lamp = placer.place_items((placer.catalogue.add("Lamp"), 1)).order
    oldest, *_, newest = orders
    assert only_newest(staff, "search=lant") == (ids(*reversed(orders)), None)
    assert only_newest(staff, "search=lamp") == (ids(lamp), None)
    before = f"createdBefore={lamp.created_at.isoformat().replace('+00:00', 'Z')}"
    assert only_newest(staff, f"search=lant&{before}") == (ids(newest, orders[2]), "true")
    assert only_newest(staff, f"search=lant&{before}&ordering=createdAt&pageSize=1") == (
        ids(orders[2]),
        "true",
    )
    assert only_newest(staff, f"search={oldest.order_number}&{before}") == (ids(oldest), None)
    assert only_newest(staff, f"search=SB-&{before}") == (ids(*reversed(orders)), None)


def only_newest(user: ApiUser, query: str) -> tuple[list[str], str | None]:
    """The ids of the orders on the page, and the header that says that only the newest were searched."""
    response = user.request("GET", f"orders/?{query}")
    return [row["id"] for row in response.json()["results"]], response.headers.get("X-Newest-Searched")


MEANINGLESS = {
    "status=9": "status",
    "status=1,9": "status",
    "status=pending": "status",
    "status=1,": "status",
    "status=,": "status",
    "status=%201": "status",
    "status=1.0": "status",
    "status=%00": "status",
    "ordering=%00": "ordering",
    "ordering=createdAt,price": "ordering",
    "ordering=createdAt,": "ordering",
    "ordering=,": "ordering",
    "createdAfter=%00": "createdAfter",
    "createdAfter=0000-01-01": "createdAfter",
    "createdAfter=99999-01-01": "createdAfter",
    "createdBefore=1700000000": "createdBefore",
    "createdBefore=2026-01-01T00:00:00%2B99:00": "createdBefore",
    "createdAfter=yesterday": "createdAfter",
    "createdBefore=2026-13-01": "createdBefore",
    "ordering=price": "ordering",
    "ordering=id": "ordering",
    "search=%00": "search",
    f"search={'x' * 201}": "search",
}


def test_an_invalid_parameter_is_a_400_that_names_it(customer: ApiUser, subtests: pytest.Subtests) -> None:
    for query, attribute in MEANINGLESS.items():
        with subtests.test(query):
            response = customer.request("GET", f"orders/?{query}")
            assert (response.status_code, set(attributes(response))) == (400, {attribute})


@pytest.mark.parametrize(
    ("path", "choices"),
    [
        ("orders/?status=1,", "1, 2, 3, 4, 5"),
        ("orders/?status=shipped", "1, 2, 3, 4, 5"),
        ("orders/?ordering=price", "createdAt, -createdAt, totalAmount, -totalAmount"),
        ("products/?ordering=cost", "price, -price, name, -name, stock, -stock, createdAt, -createdAt"),
    ],
)
def test_an_unknown_choice_is_told_what_there_is_to_choose(
    path: str, choices: str, customer: ApiUser
) -> None:
    (error,) = customer.request("GET", path).json()["errors"]
    assert (error["code"], error["detail"].rpartition(": ")[2]) == ("invalid_choice", f"{choices}.")


def test_a_list_has_pages_of_a_limited_size(placer: OrderPlacer, customer: ApiUser) -> None:
    orders = [placer.place() for _ in range(3)]
    first = customer.request("GET", "orders/?pageSize=2&ordering=createdAt").json()
    assert (first["count"], first["previous"], len(first["results"])) == (3, None, 2)
    second = customer.client.get(first["next"]).json()
    assert (second["next"], [row["id"] for row in second["results"]]) == (None, ids(orders[2]))
    assert customer.request("GET", "orders/?page=2&pageSize=101").status_code == 404
    for page in ("0", "-1", "x", "1.5", "9" * 30, "9" * 5_000, "%00", ""):
        assert customer.request("GET", f"orders/?page={page}").status_code in {200, 404}
    for size in ("0", "-1", "x", "9" * 30, "9" * 5_000, "%00"):
        assert customer.request("GET", f"orders/?pageSize={size}").status_code == 200


def test_a_page_needs_as_many_statements_for_many_orders_as_for_one(
    placer: OrderPlacer, customer: ApiUser, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        placer.place()
        with django_assert_num_queries(2):
            customer.request("GET", "orders/")


def test_the_orders_of_a_user_take_the_same_filters(
    placer: OrderPlacer, customer: ApiUser, staff: ApiUser
) -> None:
    placer.place()
    processing = placer.place_and_move(OrderStatus.PROCESSING)
    for user in (customer, staff):
        assert listed(user, "status=2", f"orders/user/{placer.user_id}/") == ids(processing)
        assert user.request("GET", f"orders/user/{placer.user_id}/?status=9").status_code == 400


def test_statuses_and_transitions_are_public() -> None:
    statuses = ApiUser().request("GET", "orders/statuses/").json()
    assert [(status["code"], status["label"], status["allowedTransitions"]) for status in statuses] == [
        (1, "Pending", [2, 5]),
        (2, "Processing", [3, 5]),
        (3, "Shipped", [4, 5]),
        (4, "Delivered", []),
        (5, "Cancelled", []),
    ]
