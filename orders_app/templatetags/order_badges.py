"""The states of an order as coloured words: `{% load order_badges %}`, in the tones of docs/design.md."""

from django import template
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from orders_app.state_machine import OrderStatus, PaymentStatus, StockStatus
from web.templatetags.site import badge

register = template.Library()

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


@register.simple_tag
def status_badge(status: int) -> SafeString:
    """How far an order is."""
    label, tone = STATUS_WORDS[status]
    return badge(str(label), tone)


@register.simple_tag
def stock_badge(stock_status: str) -> SafeString:
    """What the stock service has answered."""
    label, tone = STOCK_WORDS[stock_status]
    return badge(str(label), tone)


@register.simple_tag
def payment_badge(payment_status: int) -> SafeString:
    """Whether the order is paid."""
    label, tone = PAYMENT_WORDS[payment_status]
    return badge(str(label), tone)
