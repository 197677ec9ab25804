"""What customers and staff do to an order that was placed.

Each is one transaction: lock, read, check, write the row, append the events. Each gives the order as it is
then, and raises OrderNotFound, or what it says, with nothing changed.
"""

from uuid import UUID

from orders_app.document import CancelCode, CancelReason, OrderDocument, ShippingAddress
from orders_app.event_log import Origin
from orders_app.models import Order
from orders_app.services.locked_order import open_order
from orders_app.state_machine import OrderStatus

CANCELLED_BY_CUSTOMER = CancelReason(CancelCode.CUSTOMER_REQUEST, "Cancelled at the customer's request.")
CANCELLED_BY_STAFF = CancelReason(CancelCode.STAFF_REQUEST, "Cancelled by the shop.")


def change_status(*, order_id: UUID, new_status: OrderStatus, origin: Origin) -> OrderDocument:
    """Move the order one step, as staff do. Raises TransitionNotAllowed."""
    with open_order(order_id, origin) as order:
        if new_status == OrderStatus.CANCELLED:
            order.cancel(CANCELLED_BY_STAFF)
        else:
            order.move_to(new_status)
    return order.document


def cancel_order(*, order_id: UUID, reason: CancelReason, origin: Origin) -> OrderDocument:
    """Cancel the order and ask for its stock back. Raises TransitionNotAllowed."""
    with open_order(order_id, origin) as order:
        order.cancel(reason)
    return order.document


def update_order(
    *,
    order_id: UUID,
    shipping_address: ShippingAddress | None = None,
    tracking_number: str | None = None,
    origin: Origin,
) -> OrderDocument:
    """Change the address (while Pending) or the tracking number (before the end).

    None leaves what there is; an empty tracking number takes it away. Raises OrderNotEditable.
    """
    with open_order(order_id, origin) as order:
        order.edit(shipping_address, tracking_number)
    return order.document


def mark_paid(*, order_id: UUID, origin: Origin) -> OrderDocument:
    """Take down that the money has come; with its stock reserved, the order goes on to Processing.

    Raises OrderNotPayable.
    """
    with open_order(order_id, origin) as order:
        order.mark_paid()
    return order.document


def delete_order(*, order_id: UUID, origin: Origin) -> None:
    """Remove an order that has come to its end; the log keeps its history. Raises OrderNotDeletable."""
    with open_order(order_id, origin) as order:
        order.delete()
        Order.objects.filter(pk=order_id).delete()
