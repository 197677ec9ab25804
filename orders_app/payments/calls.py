"""The call of the gateway that each request leads to, and the answer that its result is."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from msgspec import UNSET, Struct

from foundation.kill_points import kill_point
from orders_app.document import PaymentFailure
from orders_app.messages import PaymentRefundRequested, PaymentRequested
from orders_app.models import Refund
from orders_app.money import from_minor_units
from orders_app.payments.claims import (
    ClaimedToken,
    claim_tokens,
    find_contradicting,
    find_ended,
    find_refunds,
    wanted_by,
)
from orders_app.payments.gateway import (
    Charge,
    Gateway,
    GatewayPayment,
    PaymentState,
    RefundOrder,
    RefundRefused,
)
from orders_app.payments.messages import PaymentFailed, PaymentMessage, PaymentRefunded, PaymentSucceeded
from orders_app.services.order_ids import parse_order_id

PaymentRequest = PaymentRequested | PaymentRefundRequested


class AnsweredBefore(Struct, frozen=True):
    """In place of an answer: the end of the attempt or refund is recorded, so that its request came again."""


Answer = PaymentMessage | AnsweredBefore | None
"""The answer to a request; None where there is nothing to answer (yet)."""
Call = Callable[[], Answer]
"""Gives the answer. Raises the gateway's errors and Contradicted."""

NOT_GIVEN_BACK = PaymentFailure("refund_failed", "The customer's bank did not take the money back.")


class Contradicted(Exception):
    """A request with which the orders' tables, or the gateway's books, do not agree: nothing is asked for."""


def calls_of(requests: Sequence[PaymentRequest], gateway: Gateway) -> list[Call]:
    """The call for each request. The tokens are claimed and what is needed is read; nothing is sent yet."""
    ours = [each for each in requests if parse_order_id(each.order_id)]
    charges = [each for each in ours if isinstance(each, PaymentRequested) and not each.payment_id]
    tokens = claim_tokens(charges)
    without_token = [each for each in charges if wanted_by(each) not in tokens]
    contradicting, ended = find_contradicting(without_token), find_ended(without_token)
    refunds = find_refunds([each for each in ours if isinstance(each, PaymentRefundRequested)])

    def call_of(request: PaymentRequest) -> Call:
        if parse_order_id(request.order_id) is None:
            return _nothing
        if isinstance(request, PaymentRefundRequested):
            return partial(_give_back, gateway, request, refunds.get((request.order_id, request.refund)))
        if request.payment_id:
            return partial(_look_up, gateway, request)
        wanted = wanted_by(request)
        if wanted in contradicting:
            return partial(_refuse, f"the order does not ask for {request.amount} {request.currency}")
        if wanted in tokens:
            return partial(_take, gateway, request, tokens[wanted])
        return AnsweredBefore if wanted in ended else _nothing

    return [call_of(request) for request in requests]


def _nothing() -> None:
    """The attempt was called off, or the order is another system's."""


def _refuse(reason: str) -> None:
    raise Contradicted(reason)


def _take(gateway: Gateway, request: PaymentRequested, claimed: ClaimedToken) -> PaymentMessage | None:
    payment = gateway.charge(
        Charge(
            order_id=request.order_id,
            order_number=request.order_number,
            attempt=request.attempt,
            amount=request.amount,
            currency=request.currency,
            token=claimed.token,
            sent_at=claimed.sent_at,
        )
    )
    kill_point("after-charge")
    return _answer_about(payment, request)


def _look_up(gateway: Gateway, request: PaymentRequested) -> PaymentMessage | None:
    payment = gateway.payment(str(request.payment_id))
    if payment is None:
        raise Contradicted("the gateway has no such payment")
    if (payment.order_id, payment.attempt) != (request.order_id, str(request.attempt)):
        raise Contradicted("at the gateway the payment is for another order or attempt")
    return _answer_about(payment, request)


def _answer_about(payment: GatewayPayment, request: PaymentRequested) -> PaymentMessage | None:
    """What the payment is, with its amount as it is at the gateway; None while it is not known yet."""
    if payment.state == PaymentState.SUCCEEDED:
        return PaymentSucceeded(
            order_id=request.order_id,
            user_id=request.user_id,
            order_number=request.order_number,
            amount=payment.amount,
            currency=payment.currency,
            attempt=request.attempt,
            payment_id=payment.id,
            timestamp=datetime.now(UTC),
        )
    if payment.failure is None:
        return None
    return PaymentFailed(
        order_id=request.order_id,
        user_id=request.user_id,
        order_number=request.order_number,
        amount=payment.amount,
        currency=payment.currency,
        attempt=request.attempt,
        code=payment.failure.code,
        detail=payment.failure.detail,
        timestamp=datetime.now(UTC),
        payment_id=payment.id or UNSET,
    )


def _give_back(
    gateway: Gateway, request: PaymentRefundRequested, asked: Refund | None
) -> PaymentMessage | AnsweredBefore:
    if asked is None or not _is_of(asked, request):
        raise Contradicted("the order has not asked for this refund")
    if asked.state != Refund.State.REQUESTED:
        return AnsweredBefore()
    refund = gateway.refund(
        RefundOrder(
            key=f"{request.order_id}:refund:{request.refund}",
            payment_id=request.payment_id,
            amount=request.amount,
            currency=request.currency,
            order_id=request.order_id,
            order_number=request.order_number,
            number=str(request.refund),
            sent_at=asked.requested_at,
        )
    )
    kill_point("after-refund")
    if refund.has_failed:
        raise RefundRefused(NOT_GIVEN_BACK)
    return PaymentRefunded(
        order_id=request.order_id,
        user_id=request.user_id,
        order_number=request.order_number,
        amount=refund.amount,
        currency=refund.currency,
        attempt=request.attempt,
        payment_id=request.payment_id,
        refund_id=refund.id,
        refund=request.refund,
        reason=request.reason,
        timestamp=datetime.now(UTC),
    )


def _is_of(asked: Refund, request: PaymentRefundRequested) -> bool:
    amount = from_minor_units(request.amount, request.currency)
    wanted = (request.payment_id, request.attempt, request.currency, amount)
    return (asked.payment_id, asked.attempt, asked.currency, asked.amount) == wanted
