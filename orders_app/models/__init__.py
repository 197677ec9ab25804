"""The tables of orders, their items, the order log, and the contradictions about their stock."""

from orders_app.models.order import Order, OrderItem
from orders_app.models.order_event import OrderEvent, ReaderPosition
from orders_app.models.stock_contradiction import StockContradiction

__all__ = ["Order", "OrderEvent", "OrderItem", "ReaderPosition", "StockContradiction"]
