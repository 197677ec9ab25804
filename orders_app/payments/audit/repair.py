"""Giving back what must go back, once: a repair that was killed or runs again gives nothing twice."""

from datetime import UTC, datetime
from uuid import UUID

import structlog

from foundation.advisory_lock import Lock, take_lock
from orders_app.event_log import Origin
from orders_app.exceptions import OrderNotRefundable
from orders_app.money import from_minor_units
from orders_app.payments.audit.books import Taken
from orders_app.payments.audit.order_money import OrderMoney
from orders_app.payments.gateway import Gateway, RefundOrder, RefundRefused
from orders_app.services.forgotten_money import ForgottenRefund, adopt_payment, record_forgotten_refunds
from orders_app.services.pay_order import request_payment_look_up
from orders_app.services.refund_order import refund_order
from orders_app.state_machine import OrderStatus

AUDIT = Origin("service:audit")
REASON = "The audit found that this money had not gone back."
ASKED = "Asked for; the answer is on its way"

log = structlog.get_logger(__name__)


class RepairInProgress(Exception):
    """Another audit of payments repairs at present."""

    def __init__(self) -> None:
        super().__init__("another audit of payments repairs now: wait until it has ended")


def lock_repair() -> None:
    """Take the repair lock until the connection ends. Raises RepairInProgress."""
    if not take_lock(Lock.PAYMENT_REPAIR):
        raise RepairInProgress


def repair_order(gateway: Gateway, order: OrderMoney, payment: Taken) -> str:
    """Have the rest of a payment given back that an order names or that names it; what was done.

    Through the order where it can be, so that its history tells; else at the gateway. Empty where neither
    helps. Raises GatewayUnavailable or AnswerMissing.
    """
    document = order.document
    if payment.payment_id != document.payment_reference:
        told = _tell_order(order, payment)
        return told if told or payment.is_gone else give_back(gateway, payment, payment.amount)
    is_kept = document.status == OrderStatus.CANCELLED and document.refundable_amount > 0
    key = _key(payment)
    if is_kept and key not in order.refund_keys:
        return _ask_back(document.id, key)
    return give_back(gateway, payment, order.to_go_back(payment.payment_id, payment.amount))


def record_refunds(gateway: Gateway, order: OrderMoney, payment: Taken) -> str:
    """Record refunds that the order had asked for and has forgotten; what was done, empty if there are none.

    Raises GatewayUnavailable or AnswerMissing.
    """
    refunds = [
        ForgottenRefund(each.id, int(each.number), from_minor_units(each.amount, each.currency))
        for each in gateway.refunds(payment.payment_id)
        if not each.has_failed and each.number.isdecimal()
    ]
    is_recorded = record_forgotten_refunds(
        order_id=order.document.id, payment_id=payment.payment_id, refunds=refunds, origin=AUDIT
    )
    return "Recorded: the order had asked for it" if is_recorded else ""


def give_back(gateway: Gateway, payment: Taken, due: int) -> str:
    """Give money back at the gateway, up to `due` in all; what was done, or empty where it is refused."""
    try:
        refund = gateway.refund(
            RefundOrder(
                key=_key(payment),
                payment_id=payment.payment_id,
                amount=due - payment.returned,
                currency=payment.currency,
                order_id=payment.order_id,
                order_number="",
                number=f"audit-{payment.returned}",
                sent_at=datetime.now(UTC),
            )
        )
    except RefundRefused as refusal:
        log.warning("the gateway refuses a refund", payment=payment.payment_id, reason=str(refusal))
        return ""
    return "" if refund.has_failed else f"Given back, as {refund.id}"


def _key(payment: Taken) -> str:
    """The same until something more of the payment has gone back: so it is given back once."""
    return f"audit:{payment.payment_id}:{payment.returned}"


def _tell_order(order: OrderMoney, payment: Taken) -> str:
    """Have the order told of a payment that it asked for: it is paid by it, or asks it back."""
    if not payment.attempt.isdecimal():
        return ""
    order_id, attempt = order.document.id, int(payment.attempt)
    is_told = request_payment_look_up(
        order_id=order_id, attempt=attempt, payment_id=payment.payment_id, origin=AUDIT, succeeded=True
    ) or (
        order.is_forgotten(payment)
        and adopt_payment(order_id=order_id, attempt=attempt, payment_id=payment.payment_id, origin=AUDIT)
    )
    return ASKED if is_told else ""


def _ask_back(order_id: UUID, key: str) -> str:
    try:
        refund_order(order_id=order_id, amount=None, reason=REASON, idempotency_key=key, origin=AUDIT)
    except OrderNotRefundable:
        return ""
    return ASKED
