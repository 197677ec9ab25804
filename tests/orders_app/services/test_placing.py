"""Placing an order: what it stores, what it answers, what it refuses."""

import re
from decimal import Decimal

import msgspec
import pytest
from django.db import connection, transaction

from foundation.shared_connection import shared_connection
from orders_app import event_data, event_effects, event_log
from orders_app.event_data import EventType
from orders_app.exceptions import (
    CustomerNotFound,
    EmptyOrder,
    IdempotencyKeyReused,
    InactiveProducts,
    OrderTooLarge,
    PlacedInTransaction,
    UnknownProducts,
)
from orders_app.models import Order
from orders_app.services.place_order import PLACING, Placement, new_order, service
from orders_app.services.place_order.new_order import MAX_PIECES, new_order_number
from orders_app.services.place_order.service import place_orders
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus, StockStatus
from products_app.exceptions import CatalogueUnavailable
from tests.concurrency import of_type
from tests.orders_app.ordering import ADDRESS, TRACE_PARENT, Desk, all_that_is_stored, now

pytestmark = pytest.mark.django_db(transaction=True)
ABSENT = "0123456789abcdef01234567"


def test_prices_names_and_total_come_from_the_catalogue(desk: Desk) -> None:
    lantern, rope = desk.catalogue.add("Lantern", "12.50"), desk.catalogue.add("Rope", "3")
    order = desk.request((lantern, 2), (rope, 3)).order
    assert [(item.product_name, item.quantity, item.price) for item in order.items] == [
        ("Lantern", 2, Decimal("12.50")),
        ("Rope", 3, Decimal("3.00")),
    ]
    assert order.total_amount == Decimal("34.00")


def test_a_new_order_is_pending_in_every_way(desk: Desk) -> None:
    order = desk.place(PaymentMethod.STRIPE)
    assert (order.status, order.stock_status) == (OrderStatus.PENDING, StockStatus.PENDING)
    assert (order.payment_status, order.payment_method) == (PaymentStatus.PENDING, PaymentMethod.STRIPE)
    assert (order.version, order.user_id, order.shipping_address) == (1, str(desk.user_id), ADDRESS)
    assert order.id.version == 7


def test_the_answer_is_what_reading_gives_to_the_letter(desk: Desk) -> None:
    placed = desk.request((desk.catalogue.add("Rope", "3"), 3), (desk.catalogue.add(), 1)).order
    assert msgspec.json.encode(now(placed)) == msgspec.json.encode(placed)


def test_the_answer_has_the_names_and_forms_of_the_contract(desk: Desk) -> None:
    shown = msgspec.to_builtins(desk.place())
    assert list(shown) == [
        "id",
        "orderNumber",
        "userId",
        "items",
        "totalAmount",
        "currency",
        "status",
        "statusLabel",
        "stockStatus",
        "paymentStatus",
        "paymentMethod",
        "shippingAddress",
        "trackingNumber",
        "cancelReason",
        "createdAt",
        "updatedAt",
        "shippedAt",
        "deliveredAt",
        "cancelledAt",
        "version",
    ]
    assert (shown["totalAmount"], shown["statusLabel"], shown["cancelReason"]) == ("20.00", "Pending", None)
    assert set(shown["shippingAddress"]) == {"street", "city", "state", "zipCode", "country"}
    assert shown["createdAt"].endswith("Z")


def test_the_first_event_is_the_whole_order(desk: Desk) -> None:
    order = desk.place()
    (event,) = event_log.history(order.id)
    assert (event.type, event.version, event.user_id) == (EventType.CREATED, 1, desk.user_id)
    assert (event.actor, event.trace_parent) == (f"customer:{desk.user_id}", TRACE_PARENT)
    assert event.created_at == order.created_at
    assert event_effects.decode(event.type, event.data) == event_data.Created(order.order_number, order)


def test_a_product_named_twice_is_one_line_with_the_sum(desk: Desk) -> None:
    lantern = desk.catalogue.add()
    order = desk.request((lantern, 2), (lantern.upper(), 3)).order
    assert [(item.product_id, item.quantity) for item in order.items] == [(lantern, 5)]


def test_an_unknown_product_refuses_the_whole_order(desk: Desk) -> None:
    lantern = desk.catalogue.add()
    before = all_that_is_stored()
    with pytest.raises(UnknownProducts) as refusal:
        desk.request((lantern, 1), (ABSENT, 1), ("no-id", 1))
    assert refusal.value.product_ids == (ABSENT, "no-id")
    assert all_that_is_stored() == before


def test_an_inactive_product_refuses_the_whole_order(desk: Desk) -> None:
    before, lamp = all_that_is_stored(), desk.catalogue.add("Lamp", is_active=False)
    with pytest.raises(InactiveProducts, match="Lamp") as refusal:
        desk.request((desk.catalogue.add(), 1), (lamp, 1))
    assert refusal.value.product_ids == (lamp,)
    assert all_that_is_stored() == before


def test_an_order_of_nothing_is_refused(desk: Desk) -> None:
    before = all_that_is_stored()
    with pytest.raises(EmptyOrder):
        desk.request()
    assert all_that_is_stored() == before


def test_a_sum_of_pieces_above_the_limit_is_refused(desk: Desk) -> None:
    before, lantern = all_that_is_stored(), desk.catalogue.add()
    with pytest.raises(OrderTooLarge, match="pieces"):
        desk.request((lantern, MAX_PIECES), (lantern, 1))
    assert all_that_is_stored() == before


def test_a_total_above_the_limit_is_refused(desk: Desk) -> None:
    before, palace = all_that_is_stored(), desk.catalogue.add(price="99999999.99")
    with pytest.raises(OrderTooLarge, match="USD"):
        desk.request((palace, 1_000_000))
    assert all_that_is_stored() == before


def test_a_customer_who_is_gone_gets_no_order(desk: Desk) -> None:
    before, lantern = all_that_is_stored(), desk.catalogue.add()
    with pytest.raises(CustomerNotFound):
        desk.request((lantern, 1), user_id=desk.user_id + 1)
    assert all_that_is_stored() == before


def test_an_order_number_can_be_read_out() -> None:
    assert re.fullmatch("SB(-[0-9A-HJKMNP-TV-Z]{4}){2}", new_order_number())


def test_a_number_that_is_taken_is_drawn_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = desk.place().order_number
    draws = iter([taken, taken, "SB-FREE-0001"])
    monkeypatch.setattr(new_order, "new_order_number", lambda: next(draws))
    assert desk.place().order_number == "SB-FREE-0001"
    assert Order.objects.count() == 2


def test_placing_takes_one_statement_and_one_wake_up(desk: Desk) -> None:
    lantern, statements = desk.catalogue.add(), list[str]()

    def count(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        statements.append(sql)
        return execute(sql, params, many, context)

    with shared_connection(PLACING).execute_wrapper(count):
        desk.request((lantern, 1))
    assert [sql.split()[0] for sql in statements] == ["WITH", "NOTIFY"]


def test_orders_placed_together_share_a_statement_and_each_gets_its_own_answer(desk: Desk) -> None:
    lantern, rope, statements = desk.catalogue.add(), desk.catalogue.add("Rope", "3"), list[str]()

    def count(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        statements.append(sql)
        return execute(sql, params, many, context)

    asked_for = [
        desk.asks((lantern, 1)),
        desk.asks((ABSENT, 1)),
        desk.asks((rope, 2), (lantern, 1)),
        desk.asks(),
    ]
    with connection.execute_wrapper(count):
        first, unknown, second, empty = place_orders(asked_for, connection)
    assert [sql.split()[0] for sql in statements] == ["WITH", "NOTIFY"]
    assert isinstance(unknown, UnknownProducts)
    assert isinstance(empty, EmptyOrder)
    assert isinstance(first, Placement)
    assert isinstance(second, Placement)
    assert [now(placed.order) for placed in (first, second)] == [first.order, second.order]
    assert (first.order.total_amount, second.order.total_amount) == (Decimal("10.00"), Decimal("16.00"))


def test_one_who_is_gone_spoils_no_order_placed_together_with_theirs(desk: Desk) -> None:
    lantern = desk.catalogue.add()
    gone = desk.asks((lantern, 1), user_id=desk.user_id + 1)
    outcomes = place_orders([desk.asks((lantern, 1)), gone, desk.asks((lantern, 1))], connection)
    assert [type(outcome) for outcome in outcomes] == [Placement, CustomerNotFound, Placement]
    assert Order.objects.count() == 2


def test_the_same_key_twice_together_gives_one_order(desk: Desk) -> None:
    lantern = desk.catalogue.add()
    same, other = desk.asks((lantern, 1), key="k"), desk.asks((lantern, 2), key="k")
    outcomes = place_orders([same, same, other], connection)
    assert [type(outcome) for outcome in outcomes] == [Placement, Placement, IdempotencyKeyReused]
    assert [outcome.replayed for outcome in of_type(Placement, outcomes)] == [False, True]
    assert Order.objects.count() == 1


def test_who_asks_again_is_answered_whatever_has_become_of_the_catalogue(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise CatalogueUnavailable

    lamp = desk.catalogue.add()
    placed = desk.request((lamp, 1), key="once")
    desk.catalogue.retire(lamp)
    assert desk.request((lamp, 1), key="once").order == placed.order
    monkeypatch.setattr(service, "find_products_to_order", fail)
    again, new = place_orders([desk.asks((lamp, 1), key="once"), desk.asks((lamp, 1))], connection)
    assert again == Placement(placed.order, replayed=True)
    assert isinstance(new, CatalogueUnavailable)
    with pytest.raises(CatalogueUnavailable):
        desk.request((lamp, 1), key="another")
    assert Order.objects.count() == 1


def test_nothing_is_placed_inside_a_transaction_which_might_be_rolled_back(desk: Desk) -> None:
    lantern = desk.catalogue.add()
    with transaction.atomic(), pytest.raises(PlacedInTransaction):
        desk.request((lantern, 1))
    assert Order.objects.count() == 0
