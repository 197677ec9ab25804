"""The messages that a socket missed while it was not connected."""

from django.conf import settings

from orders_app import event_log
from orders_app.event_log import LoggedEvent, Position
from orders_app.sockets.recent_orders import RecentOrders
from orders_app.sockets.socket_messages import SocketMessage, socket_messages


class CannotReplay(Exception):
    """The missed messages cannot be sent: the client must load its orders again."""


def missed(last_event_id: str, user_id: int, is_staff: bool) -> list[SocketMessage]:
    """The messages about events after this one, in the log's order; a customer gets their own.

    Raises CannotReplay where the event is unknown or another customer's, where more than
    SOCKET_REPLAY_EVENTS followed it, or where some of these may be in the archive.
    """
    last = event_log.find_position(last_event_id)
    if last is None or last < event_log.archived_position():
        raise CannotReplay
    # Reads the last event again: if it comes first, this user may have seen it.
    before = Position(last.tx, last.id - 1)
    events = _read(before, user_id, is_staff, settings.SOCKET_REPLAY_EVENTS + 2)
    if not events or events[0].position != last or len(events) > settings.SOCKET_REPLAY_EVENTS + 1:
        raise CannotReplay
    return socket_messages(events[1:], RecentOrders())


def _read(after: Position, user_id: int, is_staff: bool, limit: int) -> list[LoggedEvent]:
    if is_staff:
        return event_log.read_after(after, limit)
    return event_log.read_user_after(user_id, after, limit)
