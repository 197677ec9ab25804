"""`GET products/{id}/stock/`: counts, the orders that hold the product, and its movements."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection

from orders_app.document import OrderDocument
from orders_app.selectors import orders_holding
from orders_app.state_machine import OrderStatus
from products_app.documents.ledger import EXTERNAL_HOLDS, external_holds_of, ledger_collection
from products_app.documents.product import product_collection
from products_app.services.stock.service import Line, Release, Reserve, settle
from products_app.services.stock.stock_work import adjust_stock, receive_stock
from tests.orders_app.api.api_users import ApiUser
from tests.orders_app.ordering import OrderPlacer, answer, move, reserved
from tests.products_app.lines import release_line, reserve_line
from tests.products_app.product_stock import KEY, planted, reserve, spoil, stocked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_catalogue")]

Json = dict[str, Any]


@pytest.fixture
def lamp() -> str:
    return stocked(100)


def stock_of(staff: ApiUser, product_id: str, query: str = "") -> Json:
    response = staff.request("GET", f"products/{product_id}/stock/{query}")
    assert response.status_code == 200, response.content
    body: Json = response.json()
    return body


def order_of(placer: OrderPlacer, product_id: str, quantity: int = 2) -> OrderDocument:
    """An order of the product that both databases have as reserved."""
    order = placer.place_items((product_id, quantity)).order
    settle([reserve(str(order.id), (product_id, quantity))])
    answer(reserved(order))
    return order


def held(body: Json) -> list[tuple[str, int]]:
    return [(hold["orderId"], hold["quantity"]) for hold in body["holds"]]


def test_the_stock_of_a_product_is_told_with_its_movements(staff: ApiUser, lamp: str) -> None:
    actor = f"staff:{staff.user_id}"
    receive_stock(product_id=lamp, quantity=5, reason="Delivery", actor=actor)
    adjust_stock(product_id=lamp, quantity=-1, reason="Broken", actor="staff:0")
    spoil(lamp, lowStockAt=200)
    body = stock_of(staff, lamp.upper())
    assert {name: body[name] for name in ("productId", "productName", "stock", "received", "held")} == {
        "productId": lamp,
        "productName": "Lantern",
        "stock": 104,
        "received": 104,
        "held": 0,
    }
    assert (body["lowStockAt"], body["lowStock"], body["holds"]) == (200, True, [])
    assert [(each["kind"], each["quantity"], each["actorName"]) for each in body["movements"]] == [
        ("adjustment", -1, None),
        ("receipt", 5, "sam"),
        ("initial", 100, None),
    ]
    receipt = body["movements"][1]
    assert (receipt["actor"], receipt["reason"]) == (actor, "Delivery")
    assert receipt["changes"] == {"stock": {"from": 100, "to": 105}, "received": {"from": 100, "to": 105}}
    assert sum(each["quantity"] for each in body["movements"]) == body["received"]
    page = staff.request("GET", f"products/{lamp}/stock/", headers={"Accept": "text/html"})
    assert (page.status_code, "Delivery" in page.content.decode()) == (200, True)


def test_an_order_holds_from_its_reservation_to_its_delivery(
    staff: ApiUser, placer: OrderPlacer, lamp: str
) -> None:
    rope = stocked(10)
    first, second, cancelled = (order_of(placer, lamp, quantity) for quantity in (1, 2, 3))
    order_of(placer, rope)
    placer.place_items((lamp, 9))
    assert held(stock_of(staff, lamp)) == [(str(cancelled.id), 3), (str(second.id), 2), (str(first.id), 1)]
    move(cancelled, OrderStatus.CANCELLED)
    for status in (OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        move(first, status)
    move(second, OrderStatus.SHIPPED)
    body = stock_of(staff, lamp)
    assert held(body) == [(str(second.id), 2)]
    [hold] = body["holds"]
    assert hold["orderNumber"] == second.order_number
    assert hold["since"].endswith("Z")
    # The pieces of the delivered order do not come back, and those of the cancelled one not yet.
    assert body["held"] == 6


def test_orders_of_external_services_are_told_by_message_and_by_http(staff: ApiUser, lamp: str) -> None:
    settle([Reserve("external-1", (Line(lamp, 4),), is_external=True)])
    settle([Reserve("external-2", (Line(lamp, 4),), is_external=True), Release("external-2")])
    reserve_line(order_id="external-3", product_id=lamp, quantity=3, key=KEY)
    release_line(order_id="external-3", product_id=lamp, quantity=1, key=KEY)
    reserve_line(order_id="external-4", product_id=lamp, quantity=3, key=KEY)
    release_line(order_id="external-4", product_id=lamp, quantity=3, key=KEY)
    body = stock_of(staff, lamp)
    assert held(body) == [("external-3", 2), ("external-1", 4)]
    assert [hold["orderNumber"] for hold in body["holds"]] == [None, None]
    assert (body["held"], body["holdsPages"]["count"]) == (6, 2)


def test_an_order_of_ours_that_a_service_began_is_told_once(
    staff: ApiUser, placer: OrderPlacer, lamp: str
) -> None:
    order = placer.place_items((lamp, 2)).order
    reserve_line(order_id=str(order.id), product_id=lamp, quantity=2, key=KEY)
    settle([reserve(str(order.id), (lamp, 2))])
    answer(reserved(order))
    assert held(stock_of(staff, lamp)) == [(str(order.id), 2)]


def test_both_lists_are_paged_for_themselves(staff: ApiUser, placer: OrderPlacer, lamp: str) -> None:
    ours = [order_of(placer, lamp) for _ in range(3)]
    for number in range(4):
        settle([Reserve(f"external-{number}", (Line(lamp, 1),), is_external=True)])
        receive_stock(product_id=lamp, quantity=1, reason="Delivery", actor="staff:1")
    everything = [order_id for order_id, _ in held(stock_of(staff, lamp))]
    assert everything[:3] == [str(order.id) for order in reversed(ours)]
    seen, query = [], "?pageSize=2"
    while query:
        body = stock_of(staff, lamp, query)
        seen += [order_id for order_id, _ in held(body)]
        assert len(body["movements"]) == 2
        assert (body["holdsPages"]["count"], body["movementsPages"]["count"]) == (7, 5)
        query = "?" + urlsplit(body["holdsPages"]["next"]).query if body["holdsPages"]["next"] else ""
    assert seen == everything
    last = stock_of(staff, lamp, "?pageSize=2&movementsPage=3")
    assert [each["kind"] for each in last["movements"]] == ["initial"]
    assert last["movementsPages"]["next"] is None
    for page in ("holdsPage=5", "movementsPage=4", "holdsPage=x"):
        assert staff.request("GET", f"products/{lamp}/stock/?pageSize=2&{page}").status_code == 404


def test_a_product_that_was_never_counted_has_received_its_stock(staff: ApiUser) -> None:
    body = stock_of(staff, planted(stock=4))
    assert (body["stock"], body["received"], body["held"], body["movements"]) == (4, 4, 0, [])


def test_a_product_without_readable_counts_is_a_conflict_and_an_unknown_one_is_not_found(
    staff: ApiUser, lamp: str
) -> None:
    spoil(lamp, stock="many")
    for product_id, status in ((lamp, 409), ("0" * 24, 404), ("no-product", 404)):
        assert staff.request("GET", f"products/{product_id}/stock/").status_code == status


def test_staff_alone_see_it(customer: ApiUser, anonymous: ApiUser, lamp: str) -> None:
    assert customer.request("GET", f"products/{lamp}/stock/").status_code == 403
    assert anonymous.request("GET", f"products/{lamp}/stock/").status_code == 401


def test_our_orders_are_found_among_the_open_ones_and_not_among_those_of_all_times(
    placer: OrderPlacer,
) -> None:
    for _ in range(60):  # of few items an index of all is as cheap as one by order
        placer.place()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_order, orders_orderitem")
        cursor.execute("SET enable_seqscan = off")
    try:
        plan = orders_holding("0" * 24)[:20].explain()
    finally:
        connection.close()
    # Two indexes begin with the status, and two with an item's order; the rows decide which one is taken.
    assert "order_status_created" in plan or "order_states" in plan
    assert "orderitem_product_once" in plan or "orders_orderitem_order_id" in plan


def test_orders_of_external_services_are_found_by_an_index_that_has_none_of_ours(lamp: str) -> None:
    settle([reserve("ours", (lamp, 1)), Reserve("external-1", (Line(lamp, 1),), is_external=True)])
    found = ledger_collection().find(external_holds_of(lamp)).sort([("updatedAt", -1), ("_id", -1)])
    plan: Any = found.explain()
    assert EXTERNAL_HOLDS in str(plan["queryPlanner"]["winningPlan"])
    assert "'SORT'" not in str(plan["queryPlanner"]["winningPlan"])
    stats = product_collection().database.command("collStats", "stock_ledger", indexDetails=True)
    assert stats["nindexes"] == 2
    hinted = ledger_collection().find({"externalHolds": {"$gt": ""}}).hint(EXTERNAL_HOLDS)
    assert [each["_id"] for each in hinted] == ["external-1"]
