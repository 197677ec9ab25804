"""What the routes of payments take and give, as structs; beside each what the API's pages show of it."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from orders_app.api.shapes import PaymentToken
from orders_app.document import OrderDocument
from orders_app.models import Payment, Refund
from orders_app.selectors import ended_attempts, refunds_of, waiting_attempts
from web.struct_schema import StructSerializer


class AttemptState(StrEnum):
    """How far an attempt to pay is."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundState(StrEnum):
    """How far a refund is."""

    REQUESTED = "requested"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class PayOrder(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The token that the payment gateway has given to the customer's page; no answer shows it."""

    payment_token: Annotated[PaymentToken, Meta(min_length=1)]


class RefundOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """Why money goes back, and how much; without an amount, all that is left."""

    reason: Annotated[str, Meta(max_length=500, pattern=r"^(?=[^\x00]*\S)[^\x00]*$")]
    amount: Decimal | None = None


class PaymentAttempt(Struct, frozen=True):
    """An attempt to pay; `time` is when it ended, of a pending one when it was asked for.

    `reference` is the gateway's id of the payment. `code` and `detail` say why the attempt failed.
    """

    attempt: int
    time: datetime
    amount: Decimal
    currency: str
    state: AttemptState
    reference: str | None = None
    code: str | None = None
    detail: str | None = None


class OrderRefund(Struct, frozen=True, rename="camel"):
    """Money that goes back; `time` is when that ended, of a requested refund when it was asked for.

    `reference` is the gateway's id of the refund. `code` and `detail` say why it failed.
    """

    time: datetime
    amount: Decimal
    currency: str
    state: RefundState
    reason: str
    payment_reference: str
    reference: str | None
    code: str | None
    detail: str | None


class OrderPayments(Struct, frozen=True):
    """The attempts to pay an order and its refunds, each oldest first."""

    attempts: list[PaymentAttempt]
    refunds: list[OrderRefund]


def payments_of(order: OrderDocument) -> OrderPayments:
    """All attempts to pay the order, and its refunds."""
    waiting = [
        PaymentAttempt(attempt, time, order.total_amount, order.currency, AttemptState.PENDING)
        for attempt, time in waiting_attempts(order.id)
    ]
    ended = [_ended(payment) for payment in ended_attempts(order.id)]
    return OrderPayments(ended + waiting, [_refund(refund) for refund in refunds_of(order.id)])


def _ended(payment: Payment) -> PaymentAttempt:
    return PaymentAttempt(
        payment.attempt,
        payment.ended_at,
        payment.amount,
        payment.currency,
        AttemptState(payment.state),
        payment.payment_id or None,
        payment.code or None,
        payment.detail or None,
    )


def _refund(refund: Refund) -> OrderRefund:
    return OrderRefund(
        refund.ended_at or refund.requested_at,
        refund.amount,
        refund.currency,
        RefundState(refund.state),
        refund.reason,
        refund.payment_id,
        refund.refund_id or None,
        refund.code or None,
        refund.detail or None,
    )


class PayOrderSerializer(StructSerializer):
    """A payment."""

    struct = PayOrder
    example: ClassVar = {"paymentToken": "pm_card_visa"}


class RefundOrderSerializer(StructSerializer):
    """A refund."""

    struct = RefundOrder
    example: ClassVar = {"amount": "12.50", "reason": "One of the lamps was broken."}


class OrderPaymentsSerializer(StructSerializer):
    """The payments of an order."""

    struct = OrderPayments
