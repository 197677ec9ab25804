"""What can be done to orders: the only code that writes them."""

from orders_app.services.changing import cancel_order, change_status, delete_order, mark_paid, update_order
from orders_app.services.placing import ItemRequest, Placement, place_order
from orders_app.services.stock_answers import record_answers

__all__ = [
    "ItemRequest",
    "Placement",
    "cancel_order",
    "change_status",
    "delete_order",
    "mark_paid",
    "place_order",
    "record_answers",
    "update_order",
]
