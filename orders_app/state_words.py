"""The states and payment methods of orders in words for people; states with their tone of docs/design.md."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus, StockStatus

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
METHOD_WORDS: dict[PaymentMethod, Promise] = {
    PaymentMethod.CREDIT_CARD: gettext_lazy("Credit card"),
    PaymentMethod.DEBIT_CARD: gettext_lazy("Debit card"),
    PaymentMethod.UPI: gettext_lazy("UPI"),
    PaymentMethod.NET_BANKING: gettext_lazy("Net banking"),
    PaymentMethod.WALLET: gettext_lazy("Wallet"),
    PaymentMethod.STRIPE: gettext_lazy("Stripe"),
    PaymentMethod.CASH_ON_DELIVERY: gettext_lazy("Cash on delivery"),
}
"""In the order in which the checkout offers them."""
