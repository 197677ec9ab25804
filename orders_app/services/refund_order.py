"""Giving back money of an order's payment (docs/payments.md)."""

from decimal import Decimal
from uuid import UUID

from orders_app.document import OrderDocument
from orders_app.event_log import Origin
from orders_app.exceptions import AmountNotPossible, IdempotencyKeyReused, OrderNotRefundable, RefundTooLarge
from orders_app.models import Refund
from orders_app.money import to_minor_units
from orders_app.services.locking import locked_order
from orders_app.services.payment_steps import RefundRequest


def refund_order(
    *, order_id: UUID, amount: Decimal | None, reason: str, idempotency_key: str, origin: Origin
) -> OrderDocument:
    """Ask for this amount of the order's payment to be given back, or for the rest (None).

    The order as it is then; the order itself goes on. The same key again asks for nothing more; an empty key
    is never found again. Raises OrderNotFound, AmountNotPossible, OrderNotRefundable, RefundTooLarge or
    IdempotencyKeyReused.
    """
    with locked_order(order_id, origin) as order:
        document = order.document
        if idempotency_key and _is_asked_for(document, amount, reason, idempotency_key):
            return document
        payment_id = _payment_of(document)
        amount = document.refundable_amount if amount is None else _checked(amount, document)
        order.request_refund(
            RefundRequest(
                payment_id=payment_id,
                attempt=document.payment_attempts,
                amount=amount,
                reason=reason,
                idempotency_key=idempotency_key,
            )
        )
    return order.document


def _is_asked_for(order: OrderDocument, amount: Decimal | None, reason: str, idempotency_key: str) -> bool:
    """Whether this key asked for the same before. Raises IdempotencyKeyReused where for something else."""
    refund = Refund.objects.filter(order_id=order.id, idempotency_key=idempotency_key).first()
    if refund is None:
        return False
    if refund.reason != reason or amount not in {None, refund.amount}:
        raise IdempotencyKeyReused(idempotency_key, "refund, with another amount or reason")
    return True


def _payment_of(order: OrderDocument) -> str:
    """The payment of which something can still be given back. Raises OrderNotRefundable."""
    if not order.is_prepaid:
        raise OrderNotRefundable("the order is paid on delivery")
    if order.payment_reference is None:
        raise OrderNotRefundable("no payment of the order came through the payment gateway")
    if not order.refundable_amount:
        raise OrderNotRefundable("all of the payment was asked back already")
    return order.payment_reference


def _checked(amount: Decimal, order: OrderDocument) -> Decimal:
    """The amount, with the decimals of the currency. Raises AmountNotPossible or RefundTooLarge."""
    try:
        is_possible = to_minor_units(amount, order.currency) > 0
    except (ValueError, ArithmeticError):
        is_possible = False
    if not is_possible:
        raise AmountNotPossible(amount, order.currency)
    if amount > order.refundable_amount:
        raise RefundTooLarge(order.refundable_amount, order.currency)
    return amount.quantize(order.total_amount)
