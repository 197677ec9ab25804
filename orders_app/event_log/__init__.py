"""The order log: all changes of orders, each appended in the transaction that makes it.

Readers see events in the order (tx, id), and only those older than every open transaction of this database,
so that nothing can commit later at a position that they have passed. The versions of an order stand in that
order because every transaction locks the orders that it changes, all at once, before it has an id
(`lock_orders`).
"""

from orders_app.event_log.archive import archived_position
from orders_app.event_log.horizon import HeldBack, held_back
from orders_app.event_log.lock import LOCK, lock_keys, lock_orders
from orders_app.event_log.position import (
    RELAY_READER,
    START,
    Position,
    end_position,
    find_position,
    last_position,
    position_before,
    store_position,
    stored_position,
)
from orders_app.event_log.reader import (
    LoggedEvent,
    count_unread,
    histories,
    history,
    oldest_unread_age,
    read_after,
    read_by_order,
    read_user_after,
    with_events,
)
from orders_app.event_log.writer import (
    INSERT_EVENTS,
    NewEvent,
    Origin,
    append,
    append_and_commit,
    append_within,
    new_event,
)

__all__ = [
    "INSERT_EVENTS",
    "LOCK",
    "RELAY_READER",
    "START",
    "HeldBack",
    "LoggedEvent",
    "NewEvent",
    "Origin",
    "Position",
    "append",
    "append_and_commit",
    "append_within",
    "archived_position",
    "count_unread",
    "end_position",
    "find_position",
    "held_back",
    "histories",
    "history",
    "last_position",
    "lock_keys",
    "lock_orders",
    "new_event",
    "oldest_unread_age",
    "position_before",
    "read_after",
    "read_by_order",
    "read_user_after",
    "store_position",
    "stored_position",
    "with_events",
]
