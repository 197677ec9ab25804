"""The states of an order in words for people, each with its tone of docs/design.md."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from orders_app.state_machine import OrderStatus, PaymentStatus, StockStatus

STATUS_WORDS: dict[int, tuple[Promise, str]] = {
    OrderStatus.PENDING: (gettext_lazy("Pending"), "waiting"),
    OrderStatus.PROCESSING: (gettext_lazy("Processing"), "moving"),
    OrderStatus.SHIPPED: (gettext_lazy("Shipped"), "travelling"),
    OrderStatus.DELIVERED: (gettext_lazy("Delivered"), "good"),
    OrderStatus.CANCELLED: (gettext_lazy("Cancelled"), "bad"),
}
STOCK_WORDS: dict[str, tuple[Promise, str]] = {
    StockStatus.PENDING: (gettext_lazy("Stock is being reserved"), "waiting"),
    StockStatus.RESERVED: (gettext_lazy("Stock reserved"), "good"),
    StockStatus.REJECTED: (gettext_lazy("Not in stock"), "bad"),
    StockStatus.RELEASED: (gettext_lazy("Stock given back"), "neutral"),
}
PAYMENT_WORDS: dict[int, tuple[Promise, str]] = {
    PaymentStatus.PENDING: (gettext_lazy("Not paid yet"), "waiting"),
    PaymentStatus.PAID: (gettext_lazy("Paid"), "good"),
    PaymentStatus.FAILED: (gettext_lazy("Payment declined"), "bad"),
    PaymentStatus.REFUNDED: (gettext_lazy("Refunded"), "neutral"),
}
