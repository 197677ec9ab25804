"""Tags of the board and the proof page: `{% load board %}`."""

from collections.abc import Iterable
from datetime import datetime

from django import template
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from orders_app.models import OrderItem
from web.shown_values import CLOCK_WITH_SECONDS, exact_moment

register = template.Library()

SHOWN_ITEMS = 2
EXACT_MINUTES = 5
_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


@register.filter
def grouped(number: int) -> str:
    """The number as people write it, thousands apart."""
    return formats.number_format(number, use_l10n=True, force_grouping=True)


@register.filter
def signed(number: int) -> str:
    """The number with its sign, 0 without one."""
    return f"+{grouped(number)}" if number > 0 else grouped(number)


@register.simple_tag
def age(time: datetime) -> SafeString:
    """How long ago that was, in its two largest units; the time itself is in the title."""
    return _titled(time, span_of(max(0.0, (timezone.now() - time).total_seconds())))


@register.simple_tag
def clock(time: datetime) -> SafeString:
    """The time of day in the zone of the viewer, with the date and the zone in its title."""
    return _titled(time, formats.date_format(timezone.localtime(time), CLOCK_WITH_SECONDS))


def _titled(time: datetime, text: str) -> SafeString:
    return format_html('<time datetime="{}" title="{}">{}</time>', time.isoformat(), exact_moment(time), text)


@register.filter
def span_of(seconds: float) -> str:
    """A span of time as people say it, such as `3 min 20 s` or `2 days 4 h`."""
    days, hours = int(seconds) // _DAY, int(seconds) // _HOUR
    if days:
        largest = ngettext("%d day", "%d days", days) % days
        return f"{largest} {hours % 24} {gettext('h')}" if hours % 24 else largest
    minutes = int(seconds) // _MINUTE
    if hours:
        return f"{hours} {gettext('h')} {minutes % 60} {gettext('min')}"
    if minutes >= EXACT_MINUTES:
        return f"{minutes} {gettext('min')}"
    rest = f"{int(seconds) % 60} {gettext('s')}"
    return f"{minutes} {gettext('min')} {rest}" if minutes else rest


@register.filter
def in_words(items: Iterable[OrderItem]) -> str:
    """The first items of an order with their quantities."""
    all_items = list(items)
    shown = ", ".join(_item_in_words(item) for item in all_items[:SHOWN_ITEMS])
    return f"{shown} …" if len(all_items) > SHOWN_ITEMS else shown


def _item_in_words(item: OrderItem) -> str:
    return f"{item.quantity} \N{MULTIPLICATION SIGN} {item.product_name}"
