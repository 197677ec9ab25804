"""The tables of orders, their items and the order log."""

from orders_app.models.order import Order, OrderItem
from orders_app.models.order_event import OrderEvent, ReaderPosition

__all__ = ["Order", "OrderEvent", "OrderItem", "ReaderPosition"]
