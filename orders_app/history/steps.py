"""The steps of an order's history: each event with the order before and after it."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from orders_app import event_effects
from orders_app.document import OrderDocument
from orders_app.event_data import EventData
from orders_app.event_log import LoggedEvent
from orders_app.exceptions import BrokenHistory
from orders_app.fold import apply_data

TOLD_BY_THE_EVENT = frozenset({"version", "updatedAt"})
"""Fields of an order that each event changes: the event has them as its version and time."""


class Step(Struct, frozen=True):
    """An event with its data, and the order before and after it.

    Before the first event there is no order. `data` is None where the event cannot be read, and `after` is
    then the order as far as it is known; None where not even its beginning is.
    """

    event: LoggedEvent
    data: EventData | None
    before: OrderDocument | None
    after: OrderDocument | None


class FieldChange(Struct, frozen=True, rename={"old": "from", "new": "to"}):
    """The value of a field before an event and after it, as the order's JSON has them."""

    old: Any
    new: Any


def steps_of(events: Iterable[LoggedEvent]) -> list[Step]:
    """The steps of one order, whose events these are from the first one on.

    An event that cannot be read changes nothing that is known; the ones after it are told all the same.
    """
    steps: list[Step] = []
    order: OrderDocument | None = None
    for event in events:
        step = _step(order, event)
        order = step.after
        steps.append(step)
    return steps


def field_changes(step: Step) -> dict[str, FieldChange]:
    """The fields of the order that the event changed, by their names in JSON; none where it is not readable.

    Of a new order these are all fields that have a value.
    """
    if step.data is None:
        return {}
    before, after = _fields(step.before), _fields(step.after)
    return {
        name: FieldChange(before.get(name), value)
        for name, value in after.items()
        if value != before.get(name) and name not in TOLD_BY_THE_EVENT
    }


def _step(before: OrderDocument | None, event: LoggedEvent) -> Step:
    try:
        data = event_effects.decode(event.type, event.data)
        return Step(event, data, before, apply_data(before, event, data))
    except (BrokenHistory, msgspec.ValidationError):
        known = before and msgspec.structs.replace(before, version=event.version)
        return Step(event, None, before, known)


def _fields(order: OrderDocument | None) -> dict[str, Any]:
    return msgspec.to_builtins(order) if order else {}
