"""What pages of the admin show: money with its currency, times with their zone, states as coloured labels."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import pgettext

from web.shown_values import exact_moment, shown_amount, shown_moment

NO_BREAK = "\u00a0"
COLOURS: Mapping[str, str] = {
    "waiting": "warning",
    "moving": "info",
    "travelling": "primary",
    "good": "success",
    "bad": "danger",
    "neutral": "",
}
"""The tones of docs/design.md by unfold's names for the colours of labels."""


def shown_money(amount: Decimal | None, currency: str) -> str:
    """The amount with the decimals of its currency, and the currency; empty for None."""
    if amount is None:
        return ""
    return f"{shown_amount(amount, currency)}{NO_BREAK}{currency}"


def shown_time(time: datetime | None) -> str:
    """The time in the viewer's zone, which the title names; a dash for None."""
    if time is None:
        return "-"
    return _time_element(time, shown_moment(time))


def shown_age(time: datetime | None) -> str:
    """How long ago it was, in the largest unit; the title has the time with its zone. A dash for None."""
    if time is None:
        return "-"
    return _time_element(time, pgettext("age", "%(age)s ago") % {"age": timesince(time, depth=1)})


def shown_label(text: object, tone: str) -> SafeString:
    """A word in the colour of its tone."""
    return _label(str(text), tone)


@lru_cache(maxsize=256)
def _label(text: str, tone: str) -> SafeString:
    # A list has hundreds of labels with a few words.
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": COLOURS[tone]})


def _time_element(time: datetime, text: str) -> str:
    return format_html(
        '<time class="whitespace-nowrap" datetime="{}" title="{}">{}</time>',
        time.isoformat(),
        exact_moment(time),
        text,
    )
