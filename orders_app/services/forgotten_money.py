"""Recording money of which an order has forgotten: after a restore of PostgreSQL to an earlier moment.

The gateway's books tell what the order had asked for since (docs/backup.md).
"""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from orders_app.document import CancelCode, CancelReason
from orders_app.event_log import Origin
from orders_app.models import Refund
from orders_app.services.locked_order import LockedOrder
from orders_app.services.locking import locked_orders
from orders_app.services.payment_steps import RefundRequest
from orders_app.state_machine import BEFORE_SHIPMENT

REASON = "The money had gone back at the payment gateway already."
MONEY_WENT_BACK = CancelReason(
    CancelCode.STAFF_REQUEST, "Your payment had been given back, so the order was cancelled."
)


class ForgottenRefund(Struct, frozen=True):
    """A refund that the order asked for by the event of this version, under its id at the gateway."""

    refund_id: str
    version: int
    amount: Decimal


def adopt_payment(*, order_id: UUID, attempt: int, payment_id: str, origin: Origin) -> bool:
    """Count an attempt that the order has forgotten, and ask what became of it; whether that was done.

    Not done for an order that waits for no payment, or that knows the attempt.
    """
    with locked_orders([order_id], origin) as orders:
        order = orders.get(order_id)
        if order is None or not order.document.awaits_payment or attempt <= order.document.payment_attempts:
            return False
        order.call_off_payment()
        order.look_up_forgotten_attempt(attempt, payment_id)
    return True


def record_forgotten_refunds(
    *, order_id: UUID, payment_id: str, refunds: Sequence[ForgottenRefund], origin: Origin
) -> bool:
    """Record refunds of the order's own payment that the gateway has made; whether there were any.

    An order that is not shipped and whose whole money has gone back is cancelled.
    """
    with locked_orders([order_id], origin) as orders:
        order = orders.get(order_id)
        if order is None or order.document.payment_reference != payment_id:
            return False
        recorded = list(Refund.objects.filter(order_id=order_id))
        known, asked = {each.refund_id for each in recorded}, {each.version for each in recorded}
        forgotten = [each for each in refunds if each.refund_id not in known and each.version not in asked]
        if sum(each.amount for each in forgotten) > order.document.refundable_amount:
            return False
        for refund in forgotten:
            _record(order, payment_id, refund)
        is_whole = order.document.refunded_amount >= order.document.total_amount
        if forgotten and is_whole and order.document.status in BEFORE_SHIPMENT:
            order.cancel(MONEY_WENT_BACK)
    return bool(forgotten)


def _record(order: LockedOrder, payment_id: str, refund: ForgottenRefund) -> None:
    """Record that the refund was asked for, and that it was done."""
    document = order.document
    order.request_refund(
        RefundRequest(
            payment_id=payment_id,
            attempt=document.payment_attempts,
            amount=refund.amount,
            reason=REASON,
        )
    )
    row = Refund(
        order_id=document.id,
        version=order.document.version,
        payment_id=payment_id,
        amount=refund.amount,
        state=Refund.State.REQUESTED,
    )
    order.record_refund(row, refund.refund_id)
