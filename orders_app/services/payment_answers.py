"""The answers of the payment service about orders, and how one can contradict its order."""

from enum import StrEnum

from msgspec import Struct

from orders_app.document import OrderDocument, PaymentFailure
from orders_app.models import Payment, Refund
from orders_app.money import to_minor_units
from orders_app.services.stock_answers import MessageOrigin


class PaymentTaken(Struct, frozen=True, kw_only=True):
    """The gateway took this amount (in minor units) for an attempt, as this payment."""

    order_id: str
    attempt: int
    amount: int
    currency: str
    payment_id: str
    origin: MessageOrigin = MessageOrigin()


class PaymentDeclined(Struct, frozen=True, kw_only=True):
    """An attempt failed; `payment_id` is empty where the gateway made no payment of it."""

    order_id: str
    attempt: int
    amount: int
    currency: str
    payment_id: str
    failure: PaymentFailure
    origin: MessageOrigin = MessageOrigin()


class MoneyReturned(Struct, frozen=True, kw_only=True):
    """The gateway gave back what was asked for by the event of this version."""

    order_id: str
    refund: int
    amount: int
    currency: str
    payment_id: str
    refund_id: str
    origin: MessageOrigin = MessageOrigin()


PaymentAnswer = PaymentTaken | PaymentDeclined | MoneyReturned


class Contradiction(StrEnum):
    """Why an answer about money cannot be true of its order; the value is a sentence for staff."""

    OTHER_AMOUNT = "It names another amount or currency than the order asked for."
    UNKNOWN_ATTEMPT = "It names an attempt to pay that the order never made."
    FAILED_AFTER_SUCCESS = "It says that an attempt failed that has succeeded."
    UNKNOWN_REFUND = "It names a refund that the order never asked for."


def contradiction_of_payment(
    answer: PaymentTaken | PaymentDeclined, order: OrderDocument, ended: Payment.State | None
) -> Contradiction | None:
    """How the answer contradicts the order; `ended` is how the attempt has ended before, if it has."""
    if not 1 <= answer.attempt <= order.payment_attempts:
        return Contradiction.UNKNOWN_ATTEMPT
    if (answer.amount, answer.currency) != (
        to_minor_units(order.total_amount, order.currency),
        order.currency,
    ):
        return Contradiction.OTHER_AMOUNT
    if isinstance(answer, PaymentDeclined) and ended == Payment.State.SUCCEEDED:
        return Contradiction.FAILED_AFTER_SUCCESS
    return None


def contradiction_of_refund(answer: MoneyReturned, refund: Refund | None) -> Contradiction | None:
    """How the answer contradicts the refund that the order asked for, if it did."""
    if refund is None or refund.payment_id != answer.payment_id:
        return Contradiction.UNKNOWN_REFUND
    if (answer.amount, answer.currency) != (to_minor_units(refund.amount, refund.currency), refund.currency):
        return Contradiction.OTHER_AMOUNT
    return None
