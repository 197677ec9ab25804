"""Cancelling orders that were not paid in time, which releases their stock."""

from collections.abc import Collection
from uuid import UUID

from orders_app.document import CancelCode, CancelReason, OrderDocument
from orders_app.event_log import Origin
from orders_app.services.locked_order import locked_orders
from orders_app.state_machine import UNPAID, OrderStatus, PaymentMethod

HOLD_EXPIRED = CancelReason(
    CancelCode.HOLD_EXPIRED,
    "Your payment did not arrive in the time for which we keep items aside, so the order was cancelled.",
)


def expire_holds(*, order_ids: Collection[UUID], origin: Origin) -> set[UUID]:
    """Cancel those of these orders that are still unpaid, in one transaction; gives the ids of those.

    An order that is paid for at the same time is either paid or cancelled, whichever locks it first.
    """
    with locked_orders(order_ids, origin) as orders:
        unpaid = {order_id: order for order_id, order in orders.items() if _awaits_payment(order.document)}
        for order in unpaid.values():
            order.cancel(HOLD_EXPIRED)
    return set(unpaid)


def _awaits_payment(document: OrderDocument) -> bool:
    """The condition `models.order.AWAITS_PAYMENT`, for a locked order."""
    return (
        document.status == OrderStatus.PENDING
        and document.payment_status in UNPAID
        and document.payment_method != PaymentMethod.CASH_ON_DELIVERY
    )
