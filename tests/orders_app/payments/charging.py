"""Orders whose payments go through the sandbox, without Kafka: requests are answered, answers recorded."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import stripe
from django.conf import settings
from msgspec import UNSET

from orders_app.document import OrderDocument, PaymentFailure
from orders_app.messages import PaymentRequested
from orders_app.payments.answering import Outcome, answer_requests
from orders_app.payments.calls import AnsweredBefore, PaymentRequest
from orders_app.payments.gateway import GatewayPayment, RefundOrder, gateway
from orders_app.payments.messages import PaymentFailed, PaymentRefunded, PaymentSucceeded
from orders_app.services.payment_answers import MoneyReturned, PaymentAnswer, PaymentDeclined, PaymentTaken
from orders_app.state_machine import PaymentMethod
from tests.orders_app.ordering import OrderPlacer, answer, now, reserved
from tests.orders_app.paying import asked, record


def place_with_token(
    placer: OrderPlacer, token: str = "pm_card_visa", price: str = "12.50", **given: Any
) -> OrderDocument:
    """An order whose stock is reserved, with this token waiting to be charged."""
    product = placer.catalogue.add(price=price)
    given.setdefault("payment_method", PaymentMethod.CREDIT_CARD)
    order = placer.place_items((product, 1), payment_token=token, **given).order
    answer(reserved(order))
    return now(order)


def charge_request(order: OrderDocument) -> PaymentRequested:
    """The order's last request to be charged."""
    return [each for each in asked(order) if isinstance(each, PaymentRequested)][-1]


def outcome_of(request: PaymentRequest) -> Outcome:
    """What becomes of one request."""
    [outcome] = answer_requests([request])
    return outcome


def settle(order: OrderDocument) -> OrderDocument:
    """Answers all that the order asks for, those answered before too, and records the answers."""
    while True:
        before = now(order)
        outcomes = answer_requests(asked(order))
        answers = [each for each in outcomes if each is not None and not isinstance(each, AnsweredBefore)]
        record(*map(_as_recorded, answers))
        if now(order).version == before.version:
            return before


def payments_for(order: OrderDocument) -> list[GatewayPayment]:
    """What the books have for this order, the latest first."""
    return [payment for payment in gateway().payments() if payment.order_id == str(order.id)]


def returned_for(order: OrderDocument) -> int:
    """What went back to the customer of this order, in minor units."""
    return sum(
        refund.amount
        for payment in payments_for(order)
        for refund in gateway().refunds(payment.id)
        if not refund.has_failed
    )


def charge_by_hand(
    order_id: str = "", attempt: int = 1, amount: int = 700, currency: str = "usd"
) -> GatewayPayment:
    """Takes money at the gateway as a person does there, in the name of an order or of none."""
    client = stripe.StripeClient(
        settings.STRIPE_SECRET_KEY, base_addresses={"api": settings.STRIPE_API_BASE}, max_network_retries=0
    )
    made = client.v1.payment_intents.create(
        {
            "amount": amount,
            "currency": currency,
            "payment_method": "pm_card_visa",
            "confirm": True,
            "metadata": {"order_id": order_id, "attempt": str(attempt)} if order_id else {},
        }
    )
    found = gateway().payment(made.id)
    assert found is not None
    return found


def give_back_by_hand(payment: GatewayPayment, amount: int | None = None) -> None:
    """Gives money back at the gateway as a person does there, without the orders."""
    by_hand = RefundOrder(
        key=f"by-hand-{uuid4()}",
        payment_id=payment.id,
        amount=payment.amount if amount is None else amount,
        currency=payment.currency,
        order_id="",
        order_number="",
        number="",
        sent_at=datetime.now(UTC),
    )
    gateway().refund(by_hand)


def _as_recorded(outcome: Outcome) -> PaymentAnswer:
    """The answer as the order consumer records it."""
    match outcome:
        case PaymentSucceeded():
            return PaymentTaken(
                order_id=outcome.order_id,
                attempt=outcome.attempt,
                amount=outcome.amount,
                currency=outcome.currency,
                payment_id=outcome.payment_id,
            )
        case PaymentFailed():
            return PaymentDeclined(
                order_id=outcome.order_id,
                attempt=outcome.attempt,
                amount=outcome.amount,
                currency=outcome.currency,
                payment_id="" if outcome.payment_id is UNSET else str(outcome.payment_id),
                failure=PaymentFailure(outcome.code, outcome.detail),
            )
        case PaymentRefunded():
            return MoneyReturned(
                order_id=outcome.order_id,
                refund=outcome.refund,
                amount=outcome.amount,
                currency=outcome.currency,
                payment_id=outcome.payment_id,
                refund_id=outcome.refund_id,
            )
    raise AssertionError(outcome)
