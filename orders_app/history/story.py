"""The history of an order as its customer or staff are told it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from foundation.tracing import TRACE_PARENT, trace_id
from orders_app.event_data import EventType, Override, StatusChanged
from orders_app.event_log import LoggedEvent
from orders_app.history.actors import actor_names, shown_actor
from orders_app.history.sentences import sentence_of
from orders_app.history.steps import FieldChange, Step, field_changes, steps_of

INTERNAL_FIELDS = frozenset({"paymentReference"})
"""Fields of an order that the history does not tell customers: ids of the gateway."""


class HistoryEntry(Struct, frozen=True, rename="camel"):
    """One thing that happened to an order: `message` says what, `actorName` who did it.

    `changes` are the fields of the order that it changed, with the values before and after; `version` and
    `updatedAt`, which always change, are left out. `traceId` leads to the log lines of the request or
    message. Staff see by `override` why the order went on without its stock or payment.
    """

    event_id: str
    version: int
    type: EventType
    time: datetime
    actor: str
    actor_name: str
    message: str
    changes: dict[str, FieldChange]
    trace_id: str | None
    override: Override | UnsetType = UNSET


class Story:
    """The steps of an order's history, and their entries for one kind of reader."""

    def __init__(
        self, events: Sequence[LoggedEvent], *, for_staff: bool, shows_customer: bool = True
    ) -> None:
        """`events` are all events of one order, by version.

        What is internal is told only `for_staff`, and the customer's name only with `shows_customer`.
        """
        self.steps = steps_of(events)
        self._for_staff = for_staff
        self._names: Mapping[str, str] = actor_names(
            {event.actor for event in events}, for_staff=for_staff, shows_customer=shows_customer
        )

    def tell(self, step: Step) -> HistoryEntry:
        """The entry of one of the steps."""
        event = step.event
        return HistoryEntry(
            event_id=event.event_id,
            version=event.version,
            type=event.type,
            time=event.created_at,
            actor=shown_actor(event.actor, for_staff=self._for_staff),
            actor_name=self._names[event.actor],
            message=sentence_of(step, for_staff=self._for_staff),
            changes=self._changes(step),
            trace_id=_trace_id(event),
            override=self._override(step),
        )

    def _changes(self, step: Step) -> dict[str, FieldChange]:
        changes = field_changes(step)
        if self._for_staff:
            return changes
        return {name: change for name, change in changes.items() if name not in INTERNAL_FIELDS}

    def _override(self, step: Step) -> Override | UnsetType:
        if self._for_staff and isinstance(step.data, StatusChanged):
            return step.data.override
        return UNSET


def _trace_id(event: LoggedEvent) -> str | None:
    """The trace that the event belongs to; None where nobody has told one."""
    return trace_id(event.trace_parent) if TRACE_PARENT.fullmatch(event.trace_parent) else None
