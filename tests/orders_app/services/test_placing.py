"""Placing an order: the rows, the answer and the refusals."""

import re
from decimal import Decimal

import msgspec
import pytest
from django.db import OperationalError, connection
from msgspec.structs import replace

from foundation.shared_connection import shared_connection
from orders_app import event_data, event_effects, event_log
from orders_app.event_data import EventType
from orders_app.exceptions import (
    CustomerNotFound,
    EmptyOrder,
    IdempotencyKeyReused,
    InactiveProducts,
    OrderTooLarge,
    UnknownProducts,
)
from orders_app.fold import rebuild_order
from orders_app.models import Order
from orders_app.services.place_order import PLACING, Placement, new_order, service, warm_up_placing
from orders_app.services.place_order.new_order import MAX_PIECES, new_order_number
from orders_app.services.place_order.service import place_orders
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus, StockStatus
from products_app.exceptions import CatalogueUnavailable
from products_app.selectors import find_products_to_order
from tests.concurrency import of_type
from tests.orders_app.ordering import ADDRESS, TRACE_PARENT, OrderPlacer, all_that_is_stored, now
from tests.products_app.foreign_documents import each_sellable, each_unsellable

pytestmark = pytest.mark.django_db(transaction=True)
ABSENT = "0123456789abcdef01234567"
ENDLESS = " ".join(f"{number:09}" for number in range(150_000))
"""More words than PostgreSQL keeps in an index."""


def test_prices_names_and_total_come_from_the_catalogue(placer: OrderPlacer) -> None:
    lantern, rope = placer.catalogue.add("Lantern", "12.50"), placer.catalogue.add("Rope", "3")
    order = placer.place_items((lantern, 2), (rope, 3)).order
    assert [(item.product_name, item.quantity, item.price) for item in order.items] == [
        ("Lantern", 2, Decimal("12.50")),
        ("Rope", 3, Decimal("3.00")),
    ]
    assert order.total_amount == Decimal("34.00")


def test_a_column_that_newer_code_has_added_gets_its_default(placer: OrderPlacer) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_order ADD COLUMN gift_note text NOT NULL DEFAULT 'none'")
        try:
            order = placer.place()
            cursor.execute("SELECT gift_note FROM orders_order WHERE id = %s", [order.id])
            assert cursor.fetchone() == ("none",)
        finally:
            cursor.execute("ALTER TABLE orders_order DROP COLUMN gift_note")


def test_a_new_order_is_pending_in_all_three_statuses(placer: OrderPlacer) -> None:
    order = placer.place(PaymentMethod.STRIPE)
    assert (order.status, order.stock_status) == (OrderStatus.PENDING, StockStatus.PENDING)
    assert (order.payment_status, order.payment_method) == (PaymentStatus.PENDING, PaymentMethod.STRIPE)
    assert (order.version, order.user_id, order.shipping_address) == (1, str(placer.user_id), ADDRESS)
    assert order.id.version == 7


def test_the_answer_equals_the_order_as_read_byte_for_byte(placer: OrderPlacer) -> None:
    placed = placer.place_items((placer.catalogue.add("Rope", "3"), 3), (placer.catalogue.add(), 1)).order
    assert msgspec.json.encode(now(placed)) == msgspec.json.encode(placed)


def test_the_answer_has_the_names_and_forms_of_the_contract(placer: OrderPlacer) -> None:
    shown = msgspec.to_builtins(placer.place())
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
        "paymentAttempts",
        "paymentReference",
        "paymentFailure",
        "paidAt",
        "refundedAmount",
        "refundRequestedAmount",
    ]
    assert (shown["totalAmount"], shown["statusLabel"], shown["cancelReason"]) == ("20.00", "Pending", None)
    assert set(shown["shippingAddress"]) == {"street", "city", "state", "zipCode", "country"}
    assert shown["createdAt"].endswith("Z")


def test_the_first_event_is_the_whole_order(placer: OrderPlacer) -> None:
    order = placer.place()
    (event,) = event_log.history(order.id)
    assert (event.type, event.version, event.user_id) == (EventType.CREATED, 1, placer.user_id)
    assert (event.actor, event.trace_parent) == (f"customer:{placer.user_id}", TRACE_PARENT)
    assert event.created_at == order.created_at
    assert event_effects.decode(event.type, event.data) == event_data.Created(order.order_number, order)


def test_a_product_named_twice_is_one_line_with_the_sum(placer: OrderPlacer) -> None:
    lantern = placer.catalogue.add()
    order = placer.place_items((lantern, 2), (lantern.upper(), 3)).order
    assert [(item.product_id, item.quantity) for item in order.items] == [(lantern, 5)]


def test_an_unknown_product_refuses_the_whole_order(placer: OrderPlacer) -> None:
    lantern = placer.catalogue.add()
    before = all_that_is_stored()
    with pytest.raises(UnknownProducts) as refusal:
        placer.place_items((lantern, 1), (ABSENT, 1), ("no-id", 1))
    assert refusal.value.product_ids == (ABSENT, "no-id")
    assert all_that_is_stored() == before


def test_an_inactive_product_refuses_the_whole_order(placer: OrderPlacer) -> None:
    before, lamp = all_that_is_stored(), placer.catalogue.add("Lamp", is_active=False)
    with pytest.raises(InactiveProducts, match="Lamp") as refusal:
        placer.place_items((placer.catalogue.add(), 1), (lamp, 1))
    assert refusal.value.product_ids == (lamp,)
    assert all_that_is_stored() == before


def test_an_order_without_items_is_refused(placer: OrderPlacer) -> None:
    before = all_that_is_stored()
    with pytest.raises(EmptyOrder):
        placer.place_items()
    assert all_that_is_stored() == before


def test_a_number_of_pieces_above_the_limit_is_refused(placer: OrderPlacer) -> None:
    before, lantern = all_that_is_stored(), placer.catalogue.add()
    with pytest.raises(OrderTooLarge, match="pieces"):
        placer.place_items((lantern, MAX_PIECES), (lantern, 1))
    assert all_that_is_stored() == before


def test_a_total_above_the_limit_is_refused(placer: OrderPlacer) -> None:
    before, palace = all_that_is_stored(), placer.catalogue.add(price="99999999.99")
    with pytest.raises(OrderTooLarge, match="USD"):
        placer.place_items((palace, 1_000_000))
    assert all_that_is_stored() == before


def test_a_deleted_customer_gets_no_order(placer: OrderPlacer) -> None:
    before, lantern = all_that_is_stored(), placer.catalogue.add()
    with pytest.raises(CustomerNotFound):
        placer.place_items((lantern, 1), user_id=placer.user_id + 1)
    assert all_that_is_stored() == before


def test_an_order_number_has_no_ambiguous_characters() -> None:
    assert re.fullmatch("SB(-[0-9A-HJKMNP-TV-Z]{4}){2}", new_order_number())


def test_a_taken_order_number_is_replaced_by_a_new_one(
    placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = placer.place().order_number
    draws = iter([taken, taken, "SB-FREE-0001"])
    monkeypatch.setattr(new_order, "new_order_number", lambda: next(draws))
    assert placer.place().order_number == "SB-FREE-0001"
    assert Order.objects.count() == 2


def test_placing_takes_one_statement(placer: OrderPlacer) -> None:
    lantern, statements = placer.catalogue.add(), list[str]()

    def count(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        statements.append(sql)
        return execute(sql, params, many, context)

    with shared_connection(PLACING).execute_wrapper(count):
        placer.place_items((lantern, 1))
    assert [sql.split()[0] for sql in statements] == ["WITH"]


def test_orders_placed_together_share_a_statement_and_each_gets_its_own_answer(placer: OrderPlacer) -> None:
    lantern, rope, statements = placer.catalogue.add(), placer.catalogue.add("Rope", "3"), list[str]()

    def count(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        statements.append(sql)
        return execute(sql, params, many, context)

    asked_for = [
        placer.placement_request((lantern, 1)),
        placer.placement_request((ABSENT, 1)),
        placer.placement_request((rope, 2), (lantern, 1)),
        placer.placement_request(),
    ]
    with connection.execute_wrapper(count):
        first, unknown, second, empty = place_orders(asked_for, connection)
    assert [sql.split()[0] for sql in statements] == ["WITH"]
    assert isinstance(unknown, UnknownProducts)
    assert isinstance(empty, EmptyOrder)
    assert isinstance(first, Placement)
    assert isinstance(second, Placement)
    assert [now(placed.order) for placed in (first, second)] == [first.order, second.order]
    assert (first.order.total_amount, second.order.total_amount) == (Decimal("10.00"), Decimal("16.00"))


def test_a_deleted_customer_spoils_no_other_order_of_the_batch(placer: OrderPlacer) -> None:
    lantern = placer.catalogue.add()
    of_deleted_customer = placer.placement_request((lantern, 1), user_id=placer.user_id + 1)
    outcomes = place_orders(
        [placer.placement_request((lantern, 1)), of_deleted_customer, placer.placement_request((lantern, 1))],
        connection,
    )
    assert [type(outcome) for outcome in outcomes] == [Placement, CustomerNotFound, Placement]
    assert Order.objects.count() == 2


def test_the_same_key_twice_together_gives_one_order(placer: OrderPlacer) -> None:
    lantern = placer.catalogue.add()
    same, other = (
        placer.placement_request((lantern, 1), key="k"),
        placer.placement_request((lantern, 2), key="k"),
    )
    outcomes = place_orders([same, same, other], connection)
    assert [type(outcome) for outcome in outcomes] == [Placement, Placement, IdempotencyKeyReused]
    assert [outcome.replayed for outcome in of_type(Placement, outcomes)] == [False, True]
    assert Order.objects.count() == 1


def test_a_repeated_request_is_answered_after_any_change_of_the_catalogue(
    placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise CatalogueUnavailable

    lamp = placer.catalogue.add()
    placed = placer.place_items((lamp, 1), key="once")
    placer.catalogue.retire(lamp)
    assert placer.place_items((lamp, 1), key="once").order == placed.order
    monkeypatch.setattr(service, "find_products_to_order", fail)
    again, new = place_orders(
        [placer.placement_request((lamp, 1), key="once"), placer.placement_request((lamp, 1))], connection
    )
    assert again == Placement(placed.order, replayed=True)
    assert isinstance(new, CatalogueUnavailable)
    with pytest.raises(CatalogueUnavailable):
        placer.place_items((lamp, 1), key="another")
    assert Order.objects.count() == 1


@each_unsellable
def test_a_product_that_cannot_be_read_refuses_its_own_order_alone(
    placer: OrderPlacer, fields: dict[str, object]
) -> None:
    lantern, bad = placer.catalogue.add(), placer.catalogue.plant(**fields)
    first, refused, second = place_orders(
        [
            placer.placement_request((lantern, 1)),
            placer.placement_request((lantern, 1), (bad, 1)),
            placer.placement_request((lantern, 2)),
        ],
        connection,
    )
    assert isinstance(refused, InactiveProducts)
    assert refused.product_ids == (bad,)
    for placed in (first, second):
        assert isinstance(placed, Placement)
        assert rebuild_order(event_log.history(placed.order.id)) == placed.order
    assert Order.objects.count() == 2


@each_sellable
def test_an_order_of_a_foreign_product_is_read_from_the_log_as_it_was_placed(
    placer: OrderPlacer, fields: dict[str, object]
) -> None:
    order = placer.place_items((placer.catalogue.plant(**fields), 1)).order
    assert rebuild_order(event_log.history(order.id)) == order == now(order)


def test_whatever_one_request_raises_spoils_no_other_order_of_the_batch(
    placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lantern, rope = placer.catalogue.add(), placer.catalogue.add("Rope")
    price_lines = new_order._price_lines

    def fail_for_rope(items, products):  # type: ignore[no-untyped-def]
        if items[0].product_id == rope:
            raise RecursionError
        return price_lines(items, products)

    monkeypatch.setattr(new_order, "_price_lines", fail_for_rope)
    requests = [placer.placement_request((product, 1)) for product in (lantern, rope, lantern)]
    outcomes = place_orders(requests, connection)
    assert [type(outcome) for outcome in outcomes] == [Placement, RecursionError, Placement]


def test_an_error_of_the_database_about_one_order_spoils_no_other_of_the_batch(
    placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lantern, rope = placer.catalogue.add(), placer.catalogue.add("Rope")
    find = find_products_to_order

    def with_an_endless_name(ids):  # type: ignore[no-untyped-def]
        found = find(ids)
        return {
            each: replace(product, name=ENDLESS if each == rope else product.name)
            for each, product in found.items()
        }

    monkeypatch.setattr(service, "find_products_to_order", with_an_endless_name)
    requests = [placer.placement_request((product, 1)) for product in (lantern, rope, lantern)]
    outcomes = place_orders(requests, connection)
    assert [type(outcome) for outcome in outcomes] == [Placement, OperationalError, Placement]
    assert Order.objects.count() == 2


def test_warming_opens_the_connection_for_placing_and_places_nothing(placer: OrderPlacer) -> None:
    shared_connection(PLACING).close()
    before = all_that_is_stored()
    warm_up_placing()
    assert shared_connection(PLACING).connection is not None
    assert all_that_is_stored() == before
