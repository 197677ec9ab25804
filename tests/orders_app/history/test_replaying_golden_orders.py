"""The orders of every version of the code have a row that equals their events."""

import json
from importlib import import_module

import pytest
from django.contrib.auth.models import User
from django.db import connection

from orders_app.models import Order, OrderEvent
from orders_app.selectors import get_document
from orders_app.services.replay_orders import compare_slices, rewrite_order
from tests.orders_app.golden_orders import EVENTS, ORDERS
from tests.orders_app.ordering import OrderPlacer

pytestmark = pytest.mark.django_db(transaction=True)


def test_rows_of_orders_of_every_version_equal_their_events() -> None:
    User.objects.create_user("old-customer", id=7)
    columns = ("order_id", "version", "type", "user_id", "actor", "trace_parent", "created_at")
    OrderEvent.objects.bulk_create(
        OrderEvent(data=json.loads(event.data), **{name: getattr(event, name) for name in columns})
        for event in EVENTS
    )
    ids = {golden.events[0].order_id for golden in ORDERS.values()}
    for order_id in ids:
        rewrite_order(order_id)
    slices = list(compare_slices(50))
    assert {order_id for part in slices for order_id in part.order_ids} == ids
    assert [found for part in slices for found in part.differences] == []


@pytest.mark.parametrize(
    ("code", "detail", "named"),
    [
        ("customer_request", "Cancelled at the customer's request.", "CUSTOMER_REQUEST"),
        ("stock_rejected", "Lantern: 2 requested, no longer sold; Rope: gone.", "PRODUCT_INACTIVE"),
        ("stock_rejected", "Lantern: 2 requested, no longer in the catalogue.", "PRODUCT_NOT_FOUND"),
        ("stock_rejected", "Lantern: 2 requested, 1 available; no longer sold.", "INSUFFICIENT_STOCK"),
        ("HOLD_EXPIRED", "Not paid in time.", "HOLD_EXPIRED"),
    ],
)
def test_rows_with_a_code_of_the_first_version_get_the_code_of_their_event(
    placer: OrderPlacer, code: str, detail: str, named: str
) -> None:
    order = placer.place()
    Order.objects.update(cancel_reason_code=code, cancel_reason_detail=detail)
    migration = import_module("orders_app.migrations.0019_codes_of_cancellations")
    with connection.cursor() as cursor:
        cursor.execute(migration.NAME_CODES.replace("%", "%%"), [])
    reason = get_document(order.id).cancel_reason
    assert reason is not None
    assert (reason.code, reason.detail) == (named, detail)
