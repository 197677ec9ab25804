"""Money and times as text, the same on the pages of the shop and of the admin."""

from datetime import datetime
from decimal import Decimal

from django.utils import formats, timezone

from foundation.currencies import decimals_of

MOMENT = "j M Y, H:i"


def shown_amount(amount: Decimal, currency: str) -> str:
    """The amount with the decimals of its currency, by the separators of the language."""
    return formats.number_format(amount, decimals_of(currency), use_l10n=True, force_grouping=True)


def exact_moment(time: datetime) -> str:
    """The time with its seconds in the zone of the viewer, and the name of the zone."""
    shown = formats.date_format(timezone.localtime(time), f"{MOMENT}:s")
    return f"{shown} {timezone.get_current_timezone_name()}"
