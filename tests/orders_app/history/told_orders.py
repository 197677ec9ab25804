"""An order as the entries of its history tell it."""

from collections.abc import Iterable
from typing import Any

import msgspec

from orders_app.document import OrderDocument
from orders_app.event_log import LoggedEvent
from orders_app.history.steps import TOLD_BY_THE_EVENT, field_changes, steps_of


def order_told_by(events: Iterable[LoggedEvent]) -> dict[str, Any]:
    """The order's fields after all changes; each change starts from what the ones before it told."""
    told: dict[str, Any] = {}
    for step in steps_of(events):
        for field, change in field_changes(step).items():
            assert change.old == told.get(field)
            told[field] = change.new
    return {field: value for field, value in told.items() if value is not None}


def fields_to_tell(order: OrderDocument) -> dict[str, Any]:
    """The fields of the order that a history tells."""
    fields = msgspec.to_builtins(order)
    return {
        field: value
        for field, value in fields.items()
        if value is not None and field not in TOLD_BY_THE_EVENT
    }
