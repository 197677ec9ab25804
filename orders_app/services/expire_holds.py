"""Cancelling orders that were not paid in time, which releases their stock."""

from collections.abc import Collection
from uuid import UUID

from orders_app.document import CancelCode, CancelReason
from orders_app.event_log import Origin
from orders_app.services.locking import locked_orders

HOLD_EXPIRED = CancelReason(
    CancelCode.HOLD_EXPIRED,
    "Your payment did not arrive in the time for which we keep items aside, so the order was cancelled.",
)


def expire_holds(*, order_ids: Collection[UUID], origin: Origin) -> set[UUID]:
    """Cancel those of these orders that are still unpaid, in one transaction; gives the ids of those.

    An order that is paid for at the same time is either paid or cancelled, whichever locks it first.
    """
    with locked_orders(order_ids, origin) as orders:
        unpaid = {order_id: order for order_id, order in orders.items() if order.document.awaits_payment}
        for order in unpaid.values():
            order.cancel(HOLD_EXPIRED)
    return set(unpaid)
