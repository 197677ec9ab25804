"""Orders from their events: each event is applied to the order at the version before."""

from collections.abc import Iterable

from orders_app import event_effects
from orders_app.document import OrderChanges, OrderDocument, apply_changes
from orders_app.event_data import EventData
from orders_app.event_log import LoggedEvent
from orders_app.exceptions import BrokenHistory


def rebuild_order(events: Iterable[LoggedEvent]) -> OrderDocument:
    """The order as the API shows it after the last of these events.

    Raises BrokenHistory where they are not its versions from 1 on, without a gap.
    """
    order: OrderDocument | None = None
    for event in events:
        order = fold_event(order, event)
    if order is None:
        raise BrokenHistory("nothing")
    return order


def fold_event(order: OrderDocument | None, event: LoggedEvent) -> OrderDocument:
    """The order after this event; `order` is the order at the version before, None before the first.

    Raises BrokenHistory where the event is not the next one, and msgspec.ValidationError where its data is
    not of its type.
    """
    return apply_data(order, event, event_effects.decode(event.type, event.data))


def apply_data(order: OrderDocument | None, event: LoggedEvent, data: EventData) -> OrderDocument:
    """The order after this event, whose data is read already. Raises BrokenHistory as `fold_event` does."""
    changes = data.changes
    if order is None and event.version == 1 and isinstance(changes, OrderDocument):
        return changes
    if order is not None and event.version == order.version + 1 and isinstance(changes, OrderChanges):
        return apply_changes(changes, order, event.version)
    raise BrokenHistory(event.event_id)
