"""The states of an order on pages of the admin, as coloured labels: `{% load order_admin %}`."""

from django import template
from django.utils.safestring import SafeString

from orders_app.state_words import PAYMENT_WORDS, STATUS_WORDS, STOCK_WORDS
from web.admin_columns import shown_label

register = template.Library()


@register.simple_tag
def status_label(status: int) -> SafeString:
    """How far an order is."""
    return shown_label(*STATUS_WORDS[status])


@register.simple_tag
def payment_label(payment_status: int) -> SafeString:
    """Whether an order is paid."""
    return shown_label(*PAYMENT_WORDS[payment_status])


@register.simple_tag
def stock_label(stock_status: str) -> SafeString:
    """What the stock service has answered."""
    return shown_label(*STOCK_WORDS[stock_status])
