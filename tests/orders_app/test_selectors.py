"""Finding orders."""

import msgspec
import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from orders_app import selectors
from orders_app.document import OrderDocument
from orders_app.exceptions import OrderNotFound
from orders_app.models import Order
from orders_app.models.rows import document_of
from orders_app.services.change_order import update_order
from tests.orders_app.ordering import ADDRESS, OrderPlacer

pytestmark = pytest.mark.django_db(transaction=True)


def found(text: str) -> set[object]:
    return {order.id for order in selectors.search_orders(selectors.all_orders(), text)}


def test_customers_get_their_own_orders_newest_first(placer: OrderPlacer) -> None:
    first, second = placer.place(), placer.place()
    other = User.objects.create_user("other")
    placer.place_items((placer.catalogue.add(), 1), user_id=other.pk)
    assert [order.id for order in selectors.orders_of(placer.user_id)] == [second.id, first.id]
    assert selectors.all_orders().count() == 3


def test_a_page_of_documents_needs_two_statements(
    placer: OrderPlacer, django_assert_num_queries: object
) -> None:
    placed = [placer.place() for _ in range(3)]
    with django_assert_num_queries(2):  # type: ignore[operator]
        documents = [document_of(order) for order in selectors.all_orders()]
    assert documents == placed[::-1]


def test_an_order_that_does_not_exist_is_not_found(placer: OrderPlacer) -> None:
    with pytest.raises(OrderNotFound):
        selectors.get_document(type(placer.place().id)(int=7))


def test_search_finds_by_number_customer_and_product(placer: OrderPlacer) -> None:
    customer = User.objects.create_user("walter", email="walter@example.com")
    walters = placer.place_items((placer.catalogue.add("Storm Lantern"), 1), user_id=customer.pk).order
    others = placer.place_items((placer.catalogue.add("Rope"), 1)).order
    assert found(walters.order_number.lower()) == {walters.id}
    assert found(walters.order_number[:10]) == {walters.id}
    assert found("walt") == found("walter@example.com") == {walters.id}
    assert found("lantern storm") == {walters.id}
    assert found("rope") == {others.id}
    assert found("SB-") == found("sb") == found("S") == {walters.id, others.id}
    assert found("nothing") == found("%") == found("_") == found("'") == found("\\") == set()


def test_search_finds_by_any_part_of_the_number_of_three_characters(placer: OrderPlacer) -> None:
    order, others = placer.place(), {placer.place().id for _ in range(3)}
    digits = order.order_number.removeprefix("SB").replace("-", "").lower()
    for start in range(len(digits) - 2):
        for end in range(start + 3, len(digits) + 1):
            assert order.id in found(digits[start:end]), digits[start:end]
    assert found(f"sb{digits}") == {order.id}
    for part in (order.order_number[4:], order.order_number[5:10], f" {order.order_number[-6:]} ".strip()):
        assert found(part) == {order.id}
    assert not found(f"{digits}0") & {order.id, *others}


@pytest.mark.parametrize("text", ["zürich", "ZURICH", "zu", "Zürich"])
def test_search_finds_by_the_city_without_case_and_accents(placer: OrderPlacer, text: str) -> None:
    there = place_to(placer, "Zürich")
    place_to(placer, "Łódź")
    assert found(text) == {there.id}
    assert found("lodz") != found(text)


def test_search_finds_by_any_word_of_the_city(placer: OrderPlacer) -> None:
    new_york, york = place_to(placer, "New York"), place_to(placer, "York")
    place_to(placer, "Yosemite")
    assert found("york") == {new_york.id, york.id}
    assert found("new york") == found("York new") == found("ne") == {new_york.id}
    assert found("ork") == set()


def test_search_finds_an_order_by_the_city_to_which_it_was_corrected(placer: OrderPlacer) -> None:
    order = place_to(placer, "São Paulo")
    corrected = msgspec.structs.replace(order.shipping_address, city="Kraków")
    update_order(order_id=order.id, shipping_address=corrected, origin=placer.origin)
    assert found("krakow") == {order.id}
    assert found("sao paulo") == set()


def test_search_finds_by_the_names_of_the_customer(placer: OrderPlacer) -> None:
    customer = User.objects.create_user("wm-7", first_name="Wálter", last_name="Müller-Lüdenscheidt")
    order = placer.place_items((placer.catalogue.add(), 1), user_id=customer.pk).order
    placer.place()
    for text in ("Müller", "muller", "LUDEN", "walter mull", "wm-7"):
        assert found(text) == {order.id}, text


def test_search_finds_by_the_beginning_of_the_tracking_number(placer: OrderPlacer) -> None:
    order = placer.place()
    placer.place()
    update_order(order_id=order.id, tracking_number="1Z 999%a", origin=placer.origin)
    for text in ("1Z 999%A", "1z 9", "1Z 999%"):
        assert found(text) == {order.id}, text
    assert found("1Z_999") == set()


def place_to(placer: OrderPlacer, city: str) -> OrderDocument:
    address = msgspec.structs.replace(ADDRESS, city=city)
    return placer.place_items((placer.catalogue.add(), 1), shipping_address=address).order


MANY_ORDERS = """
INSERT INTO orders_order SELECT another.* FROM orders_order AS example, auth_user,
jsonb_populate_record(example, jsonb_build_object(
    'id', gen_random_uuid(), 'user_id', auth_user.id,
    'order_number', 'SB-X' || auth_user.id, 'idempotency_key', ''
)) AS another
"""
THEIR_EVENTS = """
INSERT INTO order_event (order_id, version, type, user_id, data, actor, trace_parent, created_at)
SELECT another.id, 1, example.type, another.user_id, data, actor, trace_parent, example.created_at
FROM order_event AS example, orders_order AS another WHERE another.id <> example.order_id
"""


def test_search_has_an_index_for_every_search_field(placer: OrderPlacer) -> None:
    placer.place()
    with transaction.atomic(), connection.cursor() as cursor:
        User.objects.bulk_create(User(username=f"someone-{number}") for number in range(2000))
        cursor.execute(MANY_ORDERS)
        cursor.execute(THEIR_EVENTS)
        cursor.execute("ANALYZE orders_order, auth_user, order_event")
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = selectors.search_orders(Order.objects.all(), "SB-1X").explain()
        transaction.set_rollback(True)
    assert "Seq Scan" not in plan, plan
    for index in (
        "order_number",
        "order_tracking",
        "order_city_words",
        "order_user_created",
        "auth_user_words",
        "orderitem_product_name",
        "order_event_default_number_parts_idx",
    ):
        assert f" {index} " in plan, plan
