"""Numbers, times and codes of the page as people of the active language write them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel import Locale
from babel.numbers import format_decimal, format_percent
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, to_locale
from django.utils.translation import gettext_lazy as _

from orders_app.analytics.order_figures import NO_REASON
from orders_app.analytics.periods import Bucket, Period
from orders_app.document import CancelCode
from orders_app.state_machine import OrderStatus, PaymentMethod
from orders_app.state_words import METHOD_WORDS, STATUS_WORDS
from web.shown_values import CLOCK, shown_day, shown_short_day

NOTHING = "\u2013"
RANGE = " \u2013 "
REASONS: Mapping[str, object] = {
    CancelCode.CUSTOMER_REQUEST: _("Cancelled by the customer"),
    CancelCode.STAFF_REQUEST: _("Cancelled by the shop"),
    CancelCode.PRODUCT_NOT_FOUND: _("No longer in the catalogue"),
    CancelCode.PRODUCT_INACTIVE: _("No longer sold"),
    CancelCode.INSUFFICIENT_STOCK: _("Not enough in stock"),
    CancelCode.STOCK_RELEASED: _("Its stock was given up"),
    CancelCode.HOLD_EXPIRED: _("Not paid in time"),
    CancelCode.PAYMENT_FAILED: _("Payment declined"),
    NO_REASON: _("No reason told"),
}
STAGES: Mapping[str, object] = {
    "placed": _("Placed"),
    "reserved": _("Stock reserved"),
    "paid": _("Paid"),
    "shipped": _("Shipped"),
    "delivered": _("Delivered"),
    "placed→reserved": _("Placed to reserved"),
    "placed→confirmed": _("Placed to confirmed"),
    "confirmed→shipped": _("Confirmed to shipped"),
    "shipped→delivered": _("Shipped to delivered"),
}
WHOLE_DAY = timedelta(hours=23)
"""The shortest day, one on which clocks are put forward."""
MINUTE, HOUR, DAY = 60, 3_600, 86_400
UNITS = ((DAY, HOUR), (HOUR, MINUTE), (MINUTE, 1))
"""A length of time is told in a unit, in seconds, and the next smaller one."""


def locale() -> Locale:
    """The active language, as Babel knows it."""
    return Locale.parse(to_locale(get_language() or "en"))


def reason(code: str) -> str:
    """The reason of a cancellation; a code of another sender stays as it is."""
    return str(REASONS.get(code, code))


def stage(name: str) -> str:
    """The name of a stage, or of the way from one to another."""
    return str(STAGES[name])


def status(code: OrderStatus) -> str:
    """The name of a status."""
    return str(STATUS_WORDS[code][0])


def payment_method(code: PaymentMethod) -> str:
    """The name of a payment method."""
    return str(METHOD_WORDS[code])


def count(number: int) -> str:
    """A whole number."""
    return format_decimal(number, locale=locale())


def share(part: float) -> str:
    """A share from 0 to 1 in percent, with one decimal."""
    return format_percent(part, format="#,##0.#\u00a0%", locale=locale())


def signed_share(difference: float) -> str:
    """A relative difference in percent, with its sign."""
    return format_percent(difference, format="+#,##0.#\u00a0%;\u2212#,##0.#\u00a0%", locale=locale())


def signed(number: float) -> str:
    """A number with its sign."""
    return format_decimal(number, format="+#,##0.#;\u2212#,##0.#", locale=locale())


def duration(seconds: float | None) -> str:
    """A length of time in at most two units; nothing for None."""
    if seconds is None:
        return NOTHING
    if seconds < 1:
        return gettext("%(number)s ms") % {"number": count(round(seconds * 1000))}
    if seconds < MINUTE:
        return gettext("%(number)s s") % {"number": format_decimal(round(seconds, 1), locale=locale())}
    whole = round(seconds)
    unit, smaller = next(units for units in UNITS if whole >= units[0])
    parts = ((whole // unit, unit), (whole % unit // smaller, smaller))
    return " ".join(_in_unit(number, size) for number, size in parts if number)


def _in_unit(number: int, unit: int) -> str:
    sentence = {
        DAY: gettext("%(number)s d"),
        HOUR: gettext("%(number)s h"),
        MINUTE: gettext("%(number)s min"),
        1: gettext("%(number)s s"),
    }[unit]
    return (sentence % {"number": count(number)}).replace(" ", "\u00a0")


def step(start: datetime, bucket: Bucket, zone: ZoneInfo) -> str:
    """When a step begins, by the clocks there."""
    local = start.astimezone(zone)
    match bucket:
        case Bucket.MINUTE:
            return date_format(local, CLOCK)
        case Bucket.HOUR:
            return f"{shown_short_day(local)}, {date_format(local, CLOCK)}"
        case Bucket.MONTH:
            return date_format(local, "M Y")
        case _:
            return shown_short_day(local)


def days(period: Period) -> str:
    """The first and the last day of a period, or its times where it does not have whole days."""
    first, last = (
        moment.astimezone(period.zone) for moment in (period.start, period.end - timedelta.resolution)
    )
    if first.date() != last.date():
        return RANGE.join(shown_day(day) for day in (first, last))
    if period.end - period.start >= WHOLE_DAY:
        return f"{date_format(first, 'l')}, {shown_day(first)}"
    times = (date_format(each, CLOCK) for each in (first, last + timedelta.resolution))
    return f"{shown_day(first)}, {RANGE.join(times)}"
