"""Finding orders."""

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from orders_app import selectors
from orders_app.exceptions import OrderNotFound
from orders_app.models import Order
from orders_app.models.rows import document_of
from tests.orders_app.ordering import OrderPlacer

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
    assert found("SB-") == {walters.id, others.id}
    assert found("nothing") == found("%") == set()


MANY_ORDERS = """
INSERT INTO orders_order SELECT another.* FROM orders_order AS example, auth_user,
jsonb_populate_record(example, jsonb_build_object(
    'id', gen_random_uuid(), 'user_id', auth_user.id,
    'order_number', 'SB-X' || auth_user.id, 'idempotency_key', ''
)) AS another
"""


def test_search_has_an_index_for_every_search_field(placer: OrderPlacer) -> None:
    placer.place()
    with transaction.atomic(), connection.cursor() as cursor:
        User.objects.bulk_create(User(username=f"someone-{number}") for number in range(2000))
        cursor.execute(MANY_ORDERS)
        cursor.execute("ANALYZE orders_order, auth_user")
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = selectors.search_orders(Order.objects.all(), "SB-1").explain()
        transaction.set_rollback(True)
    assert "Seq Scan on orders_" not in plan, plan
    for index in ("order_number", "order_tracking", "order_user_created", "orderitem_product_name"):
        assert f" {index} " in plan, plan
