"""Payments of orders for tests: answers of the payment service, and a gateway that takes no money."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django import Settings

from orders_app import event_log
from orders_app.document import OrderDocument, PaymentFailure
from orders_app.event_data import EventType
from orders_app.event_effects import kafka_values
from orders_app.event_log import Origin
from orders_app.messages import PaymentRefundRequested, PaymentRequested
from orders_app.models import PaymentToken
from orders_app.money import to_minor_units
from orders_app.services.pay_order import pay_order
from orders_app.services.payment_answers import MoneyReturned, PaymentAnswer, PaymentDeclined, PaymentTaken
from orders_app.services.record_payment_answers import record_payment_answers, record_refund_failure
from orders_app.services.refund_order import refund_order
from orders_app.services.stock_answers import MessageOrigin
from tests.orders_app.ordering import ORIGIN, STAFF

GATEWAY = Origin("service:payments")
GOOD, BAD, FRAUD = "pm_good", "pm_bad", "pm_fraud"
CODES = {BAD: "card_declined", FRAUD: "fraudulent"}


@pytest.fixture
def payment_gateway(settings: Settings) -> None:
    """Orders can be paid by tokens."""
    settings.STRIPE_SECRET_KEY = "sk_test_of_no_gateway"


def minor(order: OrderDocument) -> int:
    return to_minor_units(order.total_amount, order.currency)


def taken(
    order: OrderDocument, attempt: int = 1, payment_id: str = "pi_1", **changes: object
) -> PaymentTaken:
    """The answer that an attempt succeeded."""
    fields = {"amount": minor(order), "currency": order.currency, "origin": ORIGIN} | changes
    return PaymentTaken(order_id=str(order.id), attempt=attempt, payment_id=payment_id, **fields)  # type: ignore[arg-type]


def declined(
    order: OrderDocument, attempt: int = 1, code: str = "card_declined", **changes: object
) -> PaymentDeclined:
    """The answer that an attempt failed."""
    fields = {
        "amount": minor(order),
        "currency": order.currency,
        "payment_id": f"pi_{attempt}",
        "origin": ORIGIN,
    } | changes
    failure = PaymentFailure(code, "The bank declined the payment.")
    return PaymentDeclined(order_id=str(order.id), attempt=attempt, failure=failure, **fields)  # type: ignore[arg-type]


def record(*answers: PaymentAnswer) -> None:
    """Records these answers of the payment service in one batch."""
    record_payment_answers(answers=answers, origin_actor=GATEWAY.actor)


def pay(order: OrderDocument, token: str = GOOD) -> OrderDocument:
    return pay_order(order_id=order.id, token=token, origin=Origin(f"customer:{order.user_id}"))


def refund(
    order: OrderDocument, amount: str | None = None, key: str = "", reason: str = "Broken."
) -> OrderDocument:
    """Staff give back this amount, or the rest."""
    return refund_order(
        order_id=order.id,
        amount=None if amount is None else Decimal(amount),
        reason=reason,
        idempotency_key=key,
        origin=STAFF,
    )


def send_tokens(order: OrderDocument) -> None:
    """Marks the tokens of the order as sent to the gateway."""
    PaymentToken.objects.filter(order_id=order.id, sent_at=None).update(sent_at=timezone.now())


def tokens(order: OrderDocument) -> list[tuple[int, str]]:
    """The attempts and tokens that wait for the order."""
    waiting = PaymentToken.objects.filter(order_id=order.id).order_by("attempt")
    return list(waiting.values_list("attempt", "token"))


def asked(order: OrderDocument) -> list[PaymentRequested | PaymentRefundRequested]:
    """The messages to the payment service that the order's events cause, in their order."""
    wanted = {EventType.PAYMENT_REQUESTED, EventType.REFUND_REQUESTED}
    events = [event for event in event_log.history(order.id) if event.type in wanted]
    values = [value for event in events for value in kafka_values(event)]
    return [value for value in values if isinstance(value, PaymentRequested | PaymentRefundRequested)]


def refunds_asked(order: OrderDocument) -> list[PaymentRefundRequested]:
    return [value for value in asked(order) if isinstance(value, PaymentRefundRequested)]


@dataclass
class Gateway:
    """A payment service with its gateway, which does what the messages of orders ask, at any time and often.

    Charges and refunds are kept by their idempotency keys, as gateways do. `answers` are those given so far.
    """

    charges: dict[tuple[UUID, int], tuple[str, str]] = field(default_factory=dict)
    refunds: dict[tuple[UUID, int], tuple[str, int]] = field(default_factory=dict)
    failed_refunds: set[tuple[UUID, int]] = field(default_factory=set)
    answers: list[PaymentAnswer] = field(default_factory=list)

    def work(self, order: OrderDocument) -> None:
        """Handles all messages of the order, those handled before too."""
        for message in asked(order):
            if isinstance(message, PaymentRequested):
                self._charge(order, message)
            else:
                self._refund(order, message)

    def kept(self, order: OrderDocument) -> dict[str, int]:
        """What is kept of each payment of the order, in minor units."""
        kept: defaultdict[str, int] = defaultdict(int)
        for (order_id, _), (payment_id, token) in self.charges.items():
            if order_id == order.id and token == GOOD:
                kept[payment_id] += minor(order)
        for key, (payment_id, amount) in self.refunds.items():
            if key[0] == order.id and key not in self.failed_refunds:
                kept[payment_id] -= amount
        return kept

    def fail_refund(self, order: OrderDocument, version: int) -> None:
        """Money that was to go back comes back, which is told at once."""
        key = (order.id, version)
        if key in self.refunds and key not in self.failed_refunds:
            self.failed_refunds.add(key)
            record_refund_failure(
                order_id=order.id,
                refund=version,
                refund_id=f"re_{version}",
                failure=PaymentFailure("declined", "The bank did not take it."),
                origin=GATEWAY,
            )

    def correct(self, order: OrderDocument) -> None:
        """Says of every attempt that was declined that its money was taken after all."""
        for key, (payment_id, token) in self.charges.items():
            if key[0] == order.id and token != GOOD:
                self.charges[key] = payment_id, GOOD
                self.answers.append(taken(order, key[1], payment_id))

    def _charge(self, order: OrderDocument, message: PaymentRequested) -> None:
        waiting = PaymentToken.objects.filter(order_id=order.id, attempt=message.attempt).first()
        key = (order.id, message.attempt)
        if waiting is None:
            return
        if waiting.sent_at is None:
            PaymentToken.objects.filter(pk=waiting.pk).update(sent_at=timezone.now())
        payment_id, token = self.charges.setdefault(key, (f"pi_{message.attempt}", waiting.token))
        if token == GOOD:
            answer: PaymentAnswer = taken(order, message.attempt, payment_id)
        else:
            answer = declined(order, message.attempt, CODES[token])
        self.answers.append(answer)

    def _refund(self, order: OrderDocument, message: PaymentRefundRequested) -> None:
        key = (order.id, message.refund)
        if key in self.failed_refunds:
            return
        if key not in self.refunds:
            left = self.kept(order)[message.payment_id]
            assert message.amount <= left, "more is asked back than is left of the payment"
            self.refunds[key] = message.payment_id, message.amount
        self.answers.append(
            MoneyReturned(
                order_id=str(order.id),
                refund=message.refund,
                amount=message.amount,
                currency=message.currency,
                payment_id=message.payment_id,
                refund_id=f"re_{message.refund}",
                origin=MessageOrigin(),
            )
        )


def returned(order: OrderDocument, message: PaymentRefundRequested, **changes: object) -> MoneyReturned:
    """The answer that the money of this request went back."""
    fields = {
        "amount": message.amount,
        "currency": message.currency,
        "payment_id": message.payment_id,
        "refund_id": f"re_{message.refund}",
    } | changes
    return MoneyReturned(order_id=str(order.id), refund=message.refund, **fields)  # type: ignore[arg-type]


def give_back_all(order: OrderDocument) -> Sequence[PaymentAnswer]:
    """Answers every refund that the order asked for."""
    answers = [returned(order, message) for message in refunds_asked(order)]
    record(*answers)
    return answers
