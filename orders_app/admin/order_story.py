"""The history of an order on its page in the admin: what happened, what changed, which messages it caused."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from orders_app import event_effects
from orders_app.event_log import LoggedEvent
from orders_app.history.steps import FieldChange, Step
from orders_app.history.story import HistoryEntry, Story
from orders_app.messages import TOPICS
from orders_app.models import MailRecord
from orders_app.state_machine import PaymentStatus, StockStatus

FIELD_NAMES: Mapping[str, Promise] = {
    "statusLabel": _("Status"),
    "stockStatus": _("Stock"),
    "paymentStatus": _("Payment"),
    "shippingAddress": _("Shipping address"),
    "trackingNumber": _("Tracking number"),
    "cancelReason": _("Reason of the cancellation"),
    "paymentAttempts": _("Payment attempts"),
    "paymentReference": _("Payment at the gateway"),
    "paymentFailure": _("Reason of the decline"),
    "refundedAmount": _("Gone back"),
    "refundRequestedAmount": _("Asked back"),
}
"""The fields of an order that staff read about. Its times are those of the entries."""
_STATES: Mapping[str, type[StockStatus] | type[PaymentStatus]] = {
    "stockStatus": StockStatus,
    "paymentStatus": PaymentStatus,
}


class Change(Struct, frozen=True):
    """A field that changed, with its values before and after in words."""

    name: str
    old: str
    new: str


class Entry(Struct, frozen=True):
    """One thing that happened to the order; `topics` are those of the messages that it caused."""

    version: int
    time: datetime
    message: str
    actor: str
    changes: tuple[Change, ...]
    trace_id: str
    topics: tuple[str, ...]


class Trace(Struct, frozen=True):
    """What one request or message caused: the versions of the order, the messages and the mails."""

    trace_id: str
    entries: Sequence[Entry]
    mails: Sequence[MailRecord]

    @property
    def topics(self) -> list[str]:
        """The topics of the messages, in the order in which they were sent."""
        return [topic for entry in self.entries for topic in entry.topics]

    @property
    def url(self) -> str:
        """The page on which the trace can be seen; empty where there is none."""
        return settings.TRACE_URL.replace("{trace_id}", self.trace_id)


def entries_of(story: Story, *, shows_addresses: bool) -> list[Entry]:
    """The entries of the history, oldest first; changes of the address only with `shows_addresses`."""
    return [_entry(story.tell(step), step, shows_addresses=shows_addresses) for step in story.steps]


def traces_of(entries: Sequence[Entry], mails: Sequence[MailRecord]) -> list[Trace]:
    """The entries by their trace, oldest trace first; entries without one are left out."""
    by_trace: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.trace_id:
            by_trace[entry.trace_id].append(entry)
    return [
        Trace(trace_id, found, [mail for mail in mails if _version(mail) in {each.version for each in found}])
        for trace_id, found in by_trace.items()
    ]


def _entry(told: HistoryEntry, step: Step, *, shows_addresses: bool) -> Entry:
    return Entry(
        version=told.version,
        time=told.time,
        message=told.message,
        actor=told.actor_name,
        changes=tuple(_changes(told.changes, shows_addresses=shows_addresses)) if told.version > 1 else (),
        trace_id=told.trace_id or "",
        topics=_topics(step.event),
    )


def _changes(changes: Mapping[str, FieldChange], *, shows_addresses: bool) -> Iterator[Change]:
    for field, change in changes.items():
        if field not in FIELD_NAMES or (field == "shippingAddress" and not shows_addresses):
            continue
        yield Change(str(FIELD_NAMES[field]), _shown(field, change.old), _shown(field, change.new))


def _shown(field: str, value: Any) -> str:
    """A value of the order's JSON in words; a dash where there is none."""
    if value is None or value == "":
        return "-"
    if field in _STATES:
        return str(_STATES[field](value).label)
    if field == "shippingAddress":
        return ", ".join(str(part) for part in value.values() if part)
    return str(value.get("detail", value)) if isinstance(value, dict) else str(value)


def _topics(event: LoggedEvent) -> tuple[str, ...]:
    """The topics of the messages that the event caused; none where this version cannot read it."""
    try:
        return tuple(TOPICS[type(value)] for value in event_effects.kafka_values(event))
    except msgspec.ValidationError:
        return ()


def _version(mail: MailRecord) -> int:
    """The version of the event that the mail is about; 0 where it is not about one of ours."""
    version = mail.event_id.rpartition(":")[2]
    return int(version) if version.isdigit() else 0
