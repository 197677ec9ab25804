"""Money that somebody takes at the gateway in the name of an order: the order keeps its own, once."""

import pytest

from orders_app.document import OrderDocument
from orders_app.models import GatewayEvent
from orders_app.payments.webhooks.looking_up import Silent, look_up_waiting
from orders_app.state_machine import OrderStatus, PaymentStatus
from tests.orders_app.ordering import OrderPlacer, now
from tests.orders_app.payments.charging import (
    charge_by_hand,
    payments_for,
    place_with_token,
    returned_for,
    settle,
)
from tests.orders_app.payments.webhooks.gateway_events import event, payment, send

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("payment_sandbox", "webhook_secret"),
]


def tell(order: OrderDocument, payment_id: str) -> None:
    told = event("payment_intent.succeeded", payment(order, payment_id=payment_id))
    assert send(told).status_code == 200
    look_up_waiting(Silent())


def test_another_amount_pays_no_order_and_is_kept_for_staff(placer: OrderPlacer) -> None:
    order = place_with_token(placer)
    tell(order, charge_by_hand(str(order.id), amount=50).id)
    paid = settle(order)
    assert (paid.status, paid.payment_status) == (OrderStatus.PROCESSING, PaymentStatus.PAID)
    [own] = [each for each in payments_for(order) if each.id == paid.payment_reference]
    assert own.amount == 1250
    kept = GatewayEvent.objects.get(kind="contradiction")
    assert (kept.order_number, kept.payment_id != own.id) == (order.order_number, True)


def test_the_whole_amount_is_kept_once(placer: OrderPlacer) -> None:
    order = place_with_token(placer)
    tell(order, charge_by_hand(str(order.id), amount=1250).id)
    paid = settle(order)
    assert paid.payment_status == PaymentStatus.PAID
    assert sum(each.amount for each in payments_for(order)) - returned_for(order) == 1250


def test_a_payment_of_another_order_moves_neither(placer: OrderPlacer) -> None:
    order, other = place_with_token(placer), place_with_token(placer)
    paid = settle(other)
    assert paid.payment_reference is not None
    before = now(order)
    tell(order, paid.payment_reference)
    assert now(order) == before, "the order knows whose payment it is"
    assert now(order).payment_status == PaymentStatus.PENDING
    assert (now(other).payment_status, returned_for(other)) == (PaymentStatus.PAID, 0)
