"""Money and times as text, the same on the pages of the shop and of the admin."""

from datetime import date, datetime
from decimal import Decimal

from django.utils import formats, timezone
from django.utils.translation import pgettext

from foundation.currencies import decimals_of

CLOCK, CLOCK_WITH_SECONDS = "H:i", "H:i:s"


def shown_amount(amount: Decimal, currency: str) -> str:
    """The amount with the decimals of its currency, by the separators of the language."""
    return formats.number_format(amount, decimals_of(currency), use_l10n=True, force_grouping=True)


def shown_day(day: date) -> str:
    """The day as the language writes it, such as `26 Nov 2026`; `moments.js` writes it alike."""
    return formats.date_format(day, pgettext("a day, in the letters of Django's date filter", "j M Y"))


def shown_short_day(day: date) -> str:
    """The day without its year."""
    return formats.date_format(day, pgettext("a day, in the letters of Django's date filter", "j M"))


def shown_moment(time: datetime, clock: str = CLOCK) -> str:
    """Day and time in the zone of the viewer; `clock` is how the time is written."""
    local = timezone.localtime(time)
    return f"{shown_day(local)}, {formats.date_format(local, clock)}"


def exact_moment(time: datetime) -> str:
    """The time with its seconds in the zone of the viewer, and the name of the zone."""
    return f"{shown_moment(time, CLOCK_WITH_SECONDS)} {timezone.get_current_timezone_name()}"
