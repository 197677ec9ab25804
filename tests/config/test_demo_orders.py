"""`manage.py seed_demo --days`: orders that look like those of a shop, and for which every law holds."""

from collections import Counter
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from config.demo.plan import days_until, orders_of
from kafka_workers.contract.topics import TOPIC_OF
from kafka_workers.workers import EMAIL
from orders_app.inbox import message_key
from orders_app.messages import OrderCreated
from orders_app.models import InboxMessage, Order, PaymentToken
from orders_app.services.replay_orders import compare_slices
from orders_app.state_machine import OrderStatus, PaymentStatus, StockStatus
from products_app.documents.ledger import ledger_collection
from products_app.selectors import find_products

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("quick_passwords", "clean_catalogue"),
]


def seed(days: int) -> str:
    output = StringIO()
    call_command("seed_demo", days=days, stdout=output)
    return output.getvalue()


def test_a_day_has_the_same_orders_whenever_it_is_asked_for() -> None:
    today = days_until(timezone.now(), 1)[0]
    assert orders_of(today, customers=32, products=24) == orders_of(today, customers=32, products=24)
    assert 20 < len(orders_of(today, customers=32, products=24)) < 70


def test_the_orders_of_two_weeks_are_in_every_state_and_added_once() -> None:
    assert "Orders: " in seed(14)
    orders = list(Order.objects.all())
    assert 300 < len(orders) < 900
    assert {order.status for order in orders} >= {2, 3, 4, 5}
    assert {order.stock_status for order in orders} >= {
        StockStatus.RESERVED,
        StockStatus.REJECTED,
        StockStatus.RELEASED,
    }
    assert {order.payment_status for order in orders} >= {PaymentStatus.PAID, PaymentStatus.FAILED}
    codes = Counter(order.cancel_reason_code for order in orders if order.status == OrderStatus.CANCELLED)
    assert codes.keys() >= {"CUSTOMER_REQUEST", "HOLD_EXPIRED", "PAYMENT_FAILED", "INSUFFICIENT_STOCK"}
    assert all(order.created_at <= order.updated_at <= timezone.now() for order in orders)
    assert "Orders: 0 added." in seed(1)
    assert Order.objects.count() == len(orders)
    assert_the_laws_hold()


def assert_the_laws_hold() -> None:
    """Rows follow events, the stock is what was received less what is held, no mail or charge is due."""
    assert [each.differences for each in compare_slices(500) if each.differences] == []
    held: Counter[str] = Counter()
    for entry in ledger_collection().find():
        held.update({product_id: line["held"] for product_id, line in entry["lines"].items()})
    shelf = find_products(include_inactive=True)[:100]
    assert [(each.name, each.stock) for each in shelf if each.received != each.stock + held[each.id]] == []
    assert {each.stock for each in shelf if each.low_stock} >= {0, 2}
    assert not PaymentToken.objects.exists()
    told = set(InboxMessage.objects.filter(group=EMAIL.group).values_list("message_id", flat=True))
    source = TOPIC_OF[OrderCreated].source
    assert {message_key(source, f"{order.id}:1:order.created") for order in Order.objects.all()} <= told


def test_a_number_of_days_that_cannot_be_is_refused() -> None:
    for days in ("0", "366", "-1", "many"):
        with pytest.raises(CommandError, match="must be a whole number from 1 to 365"):
            call_command("seed_demo", "--days", days)
