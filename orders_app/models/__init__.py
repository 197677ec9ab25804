"""The tables of orders, their items, the order log, the contradictions about their stock, and of accounts."""

from orders_app.models.account import AccountName, SignIn
from orders_app.models.order import Order, OrderItem
from orders_app.models.order_event import ArchivedPartition, HistoryEvent, OrderEvent, ReaderPosition
from orders_app.models.stock_contradiction import StockContradiction

__all__ = [
    "AccountName",
    "ArchivedPartition",
    "HistoryEvent",
    "Order",
    "OrderEvent",
    "OrderItem",
    "ReaderPosition",
    "SignIn",
    "StockContradiction",
]
