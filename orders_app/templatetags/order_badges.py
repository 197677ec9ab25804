"""The states of an order as coloured words: `{% load order_badges %}`, in the tones of docs/design.md."""

from django import template
from django.utils.safestring import SafeString

from orders_app.state_words import PAYMENT_WORDS, STATUS_WORDS
from web.templatetags.site import badge

register = template.Library()


@register.simple_tag
def status_badge(status: int) -> SafeString:
    """How far an order is."""
    label, tone = STATUS_WORDS[status]
    return badge(str(label), tone)


@register.simple_tag
def payment_badge(payment_status: int) -> SafeString:
    """Whether the order is paid."""
    label, tone = PAYMENT_WORDS[payment_status]
    return badge(str(label), tone)
