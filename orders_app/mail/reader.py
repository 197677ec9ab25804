"""The reader of a mail: the address, and how money and time are written for them."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_timezone_name
from babel.numbers import format_currency
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection
from django.utils.encoding import punycode
from django.utils.translation import to_locale
from msgspec import Struct

from orders_app.mail.events import Money

MAX_ID_DIGITS = 18

# In parts, for statements that ask for more besides.
ADDRESS = "CASE WHEN holder.user_id IS NULL THEN '' ELSE account.email END"
FIELDS = f"""
{ADDRESS}, coalesce(nullif(account.first_name, ''), account.username),
coalesce(preference.language, ''), coalesce(preference.time_zone, ''),
account.is_active AND coalesce(preference.notifications, true)
"""
ACCOUNT = """
auth_user account
LEFT JOIN account_mail_address holder ON holder.user_id = account.id
LEFT JOIN mail_preference preference ON preference.user_id = account.id
"""
_FIND = f"SELECT {FIELDS} FROM {ACCOUNT} WHERE account.id = %s"  # noqa: S608 - texts of ours


class Reader(Struct, frozen=True):
    """A user as a reader of mail; `name` may be empty. Without notifications they get what is always sent."""

    user_id: str
    address: str
    name: str = ""
    language: str = ""
    time_zone: str = ""
    has_notifications: bool = True

    @property
    def has_usable_address(self) -> bool:
        """Whether a mail server may take the address; its local part is ASCII."""
        try:
            validate_email(self.address)
        except ValidationError:
            return False
        return True

    @property
    def ascii_address(self) -> str:
        """A usable address as mail servers know it: an international domain is in its ASCII form."""
        local_part, _, domain = self.address.rpartition("@")
        return f"{local_part}@{punycode(domain)}"

    @property
    def locale(self) -> Locale:
        """The reader's locale; the installation's where theirs is unknown."""
        try:
            return Locale.parse(to_locale(self.language or settings.LANGUAGE_CODE))
        except (UnknownLocaleError, ValueError):
            return Locale.parse("en_US")

    def money(self, money: Money) -> str:
        """The amount as the reader's locale writes it, with the decimals of its currency."""
        return format_currency(money.amount, money.currency, locale=self.locale)

    def moment(self, moment: datetime) -> str:
        """Day, time and time zone as the reader's locale writes them."""
        local = moment.astimezone(self._zone)
        day = format_date(local, "long", locale=self.locale)
        time = format_time(local, "short", tzinfo=self._zone, locale=self.locale)
        return f"{day}, {time} {get_timezone_name(local, width='short', locale=self.locale)}"

    @property
    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.time_zone or settings.TIME_ZONE)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return ZoneInfo(settings.TIME_ZONE)


def find_reader(user_id: str) -> Reader | None:
    """The user with this id, if there is one.

    An address that another user holds is not theirs. A deactivated user gets only what is always sent.
    """
    number = account_number(user_id)
    if number is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [number])
        row = cursor.fetchone()
    return Reader(user_id, *row) if row else None


def account_number(user_id: str) -> int | None:
    """The id as our accounts have it; None where none of them can have it."""
    is_ours = user_id.isascii() and user_id.isdigit() and len(user_id) <= MAX_ID_DIGITS
    return int(user_id) if is_ours else None


def reader_of(user: User) -> Reader:
    """A user as a reader of mail about their account, at whatever address."""
    preference = getattr(user, "mail_preference", None)
    return Reader(
        user_id=str(user.pk),
        address=user.email,
        language=preference.language if preference else "",
        time_zone=preference.time_zone if preference else "",
    )
