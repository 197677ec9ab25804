"""What is held of a person beside their orders: one entry for each table, with how its rows are erased."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import Model, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat
from msgspec import Struct
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from foundation.user_names import normal_form
from orders_app.models import (
    AccountMail,
    AccountMailAddress,
    AccountName,
    GatewayEvent,
    MailAddressChange,
    MailPreference,
    MailRecord,
    Redaction,
    SignIn,
)
from orders_app.personal_data.person import Person

ERASED = "erased"
"""What stands in place of an erased text that may not be empty."""
_ERASED_MAIL_ADDRESS = Concat(Value(f"{ERASED}-"), Cast("id", TextField()), output_field=TextField())
Rows = Callable[[Person], QuerySet[Any]]


class Holding(Struct, frozen=True, kw_only=True):
    """The rows of a table that are about a person, and the name that they have in an export.

    `withheld` are columns that are never exported: secrets. Rows are deleted, or have columns `replaced`,
    where `still_personal` is true of them; others stay, or have a step of their own in `erasing`.
    """

    name: str
    rows: Rows
    withheld: frozenset[str] = frozenset()
    deleted: bool = False
    replaced: Mapping[str, Any] | None = None
    still_personal: Q = Q()

    def to_erase(self, person: Person) -> QuerySet[Any]:
        """The rows that an erasure deletes or changes."""
        rows = self.rows(person).filter(self.still_personal)
        return rows if self.deleted or self.replaced else rows.none()

    def erase(self, rows: QuerySet[Any]) -> int:
        """Delete these rows or replace their columns; returns how many."""
        if self.replaced:
            return rows.update(**self.replaced)
        return rows.delete()[0] if self.deleted else 0


def _of_user(model: type[Model]) -> Rows:
    return lambda person: model._default_manager.filter(user_id=person.user_id)  # noqa: SLF001 - documented


def _sessions(person: Person) -> QuerySet[Session]:
    """The user is inside the session's data: all that have not been deleted are read."""
    keys = [
        session.session_key
        for session in Session.objects.iterator()
        if session.get_decoded().get("_auth_user_id") == str(person.user_id)
    ]
    return Session.objects.filter(pk__in=keys)


def _entries_about(person: Person) -> QuerySet[LogEntry]:
    content_type = ContentType.objects.get_for_model(User)
    return LogEntry.objects.filter(content_type=content_type, object_id=str(person.user_id))


ACCOUNT_MAILS = Holding(
    name="accountMails",
    rows=lambda person: AccountMail.objects.filter(
        Q(user_id=person.user_id) | Q(address__in=person.addresses)
    ),
    deleted=True,
)
HOLDINGS = (
    Holding(
        name="account",
        rows=lambda person: User.objects.filter(pk=person.user_id),
        withheld=frozenset({"password"}),
    ),
    Holding(name="accountName", rows=_of_user(AccountName)),
    Holding(name="mailAddress", rows=_of_user(AccountMailAddress)),
    Holding(name="mailAddressChange", rows=_of_user(MailAddressChange)),
    Holding(name="mailPreference", rows=_of_user(MailPreference), deleted=True),
    ACCOUNT_MAILS,
    Holding(name="signIns", rows=_of_user(SignIn)),
    Holding(name="refreshTokens", rows=_of_user(OutstandingToken), withheld=frozenset({"token", "jti"})),
    Holding(
        name="sessions", rows=_sessions, withheld=frozenset({"session_key", "session_data"}), deleted=True
    ),
    Holding(
        name="wrongPasswords",
        rows=lambda person: AccessAttempt.objects.filter(username=normal_form(person.username)),
        deleted=True,
    ),
    Holding(
        name="mails",
        rows=lambda person: MailRecord.objects.filter(user_id=str(person.user_id)),
        # One record has each address of a message: the id keeps two addresses apart.
        replaced={"address": _ERASED_MAIL_ADDRESS, "detail": ""},
        still_personal=Q(address__contains="@"),
    ),
    Holding(
        name="adminEntriesAbout",
        rows=_entries_about,
        replaced={"object_repr": ERASED},
        still_personal=~Q(object_repr=ERASED),
    ),
    Holding(name="adminEntriesBy", rows=_of_user(LogEntry)),
    Holding(
        name="gatewayEventsResolved",
        rows=lambda person: GatewayEvent.objects.filter(resolved_by=person.username),
        replaced={"resolved_by": ERASED},
    ),
    Holding(name="redactions", rows=_of_user(Redaction)),
)


def row_values(rows: QuerySet[Any], withheld: frozenset[str] = frozenset()) -> Iterator[dict[str, Any]]:
    """The columns of these rows by their names in camelCase, without the withheld ones."""
    columns = [field.attname for field in rows.model._meta.concrete_fields]  # noqa: SLF001 - documented
    shown = [column for column in columns if column not in withheld]
    for values in rows.values_list(*shown).iterator():
        yield dict(zip(map(_camel, shown), values, strict=True))


def _camel(column: str) -> str:
    first, *others = column.split("_")
    return first + "".join(map(str.capitalize, others))
