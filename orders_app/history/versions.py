"""An order as it was: at one of its versions, or at a moment."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import structlog

from orders_app import event_log
from orders_app.document import OrderDocument
from orders_app.event_data import EventType
from orders_app.event_log import LoggedEvent
from orders_app.exceptions import BrokenHistory, VersionNotFound, VersionNotReadable
from orders_app.fold import rebuild_order

log = structlog.get_logger(__name__)


def order_at_version(order_id: UUID, version: int) -> OrderDocument:
    """The order at this version; also of an order that was deleted later.

    Raises VersionNotFound where it has none such, or was deleted by it, and VersionNotReadable.
    """
    events = [event for event in event_log.history(order_id) if event.version <= version]
    if not events or events[-1].version < version:
        raise VersionNotFound(order_id, f"of version {version}")
    return _order_after(events, f"of version {version}")


def order_at(order_id: UUID, moment: datetime) -> OrderDocument:
    """The order as it was at this moment; also of an order that was deleted later.

    Of two events of the same moment the later one counts. Raises VersionNotFound where the order was not
    placed yet or deleted by then, and VersionNotReadable.
    """
    asked = f"at {moment.isoformat()}"
    events = event_log.history(order_id)
    # Clocks of processes differ a little: the versions say what came first.
    last = max((event.version for event in events if event.created_at <= moment), default=0)
    if not last:
        raise VersionNotFound(order_id, asked)
    return _order_after([event for event in events if event.version <= last], asked)


def _order_after(events: Sequence[LoggedEvent], asked: str) -> OrderDocument:
    last = events[-1]
    if last.type == EventType.DELETED:
        raise VersionNotFound(last.order_id, asked)
    try:
        return rebuild_order(events)
    except (BrokenHistory, msgspec.ValidationError) as error:
        log.warning("the events of an order cannot be read", event_id=last.event_id, reason=str(error))
        raise VersionNotReadable(last.order_id, last.version) from error
