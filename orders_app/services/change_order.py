"""Changes of an order by customers and staff.

Each is one transaction: lock, read, check, write the row, append the events. Each gives the changed order,
and raises OrderNotFound or the errors that it names; then nothing is changed.
"""

from uuid import UUID

from orders_app.document import CancelCode, CancelReason, OrderDocument, ShippingAddress
from orders_app.event_log import Origin
from orders_app.exceptions import OrderNotDeletable, PaymentUnderWay
from orders_app.models import Order, PaymentToken
from orders_app.services.locking import locked_order
from orders_app.services.money_under_way import is_token_sent, money_to_wait_for
from orders_app.state_machine import OrderStatus

CANCELLED_BY_CUSTOMER = CancelReason(CancelCode.CUSTOMER_REQUEST, "Cancelled at the customer's request.")
CANCELLED_BY_STAFF = CancelReason(CancelCode.STAFF_REQUEST, "Cancelled by the shop.")


def change_status(
    *, order_id: UUID, new_status: OrderStatus, origin: Origin, override_reason: str = ""
) -> OrderDocument:
    """Change the status, as staff do.

    With `override_reason`, which the history keeps, the order goes on without its stock or payment too; the
    caller checks who may do that. Raises TransitionNotAllowed, StockPending or PaymentPending.
    """
    with locked_order(order_id, origin) as order:
        if new_status == OrderStatus.CANCELLED:
            order.cancel(CANCELLED_BY_STAFF)
        else:
            order.move_to(new_status, override_reason)
    return order.document


def cancel_order(*, order_id: UUID, reason: CancelReason, origin: Origin) -> OrderDocument:
    """Cancel the order and request the release of its stock. Raises TransitionNotAllowed."""
    with locked_order(order_id, origin) as order:
        order.cancel(reason)
    return order.document


def update_order(
    *,
    order_id: UUID,
    shipping_address: ShippingAddress | None = None,
    tracking_number: str | None = None,
    origin: Origin,
) -> OrderDocument:
    """Change the address (while Pending) or the tracking number (before a final status).

    None changes nothing; an empty tracking number removes it. Raises OrderNotEditable.
    """
    with locked_order(order_id, origin) as order:
        order.edit(shipping_address, tracking_number)
    return order.document


def mark_paid(*, order_id: UUID, origin: Origin) -> OrderDocument:
    """Record a payment that did not come through the gateway; with its stock, the order becomes Processing.

    Raises OrderNotPayable or PaymentUnderWay.
    """
    with locked_order(order_id, origin) as order:
        if order.document.is_payment_under_way and is_token_sent(order_id):
            raise PaymentUnderWay
        order.mark_paid()
    return order.document


def delete_order(*, order_id: UUID, origin: Origin) -> None:
    """Delete an order in a final status; the log keeps its history.

    Raises OrderNotDeletable, also while money is under way for it, or is kept though it is cancelled.
    """
    with locked_order(order_id, origin) as order:
        order.delete()
        if reason := money_to_wait_for(order.document):
            raise OrderNotDeletable(order.document.status, reason)
        PaymentToken.objects.filter(order_id=order_id).delete()
        Order.objects.filter(pk=order_id).delete()
