"""What a socket that comes back has missed."""

from django.conf import settings

from orders_app import event_log
from orders_app.event_log import LoggedEvent, Position
from orders_app.sockets.announcements import Announcement, announce


class CannotReplay(Exception):
    """The client must load its orders anew."""


def missed(last_event_id: str, user_id: int, is_staff: bool) -> list[Announcement]:
    """The announcements after this event, in the log's order: a customer's own, or everybody's for staff.

    Raises CannotReplay where the event is unknown or another customer's, or where more than
    SOCKET_REPLAY_EVENTS followed it.
    """
    last = event_log.find_position(last_event_id)
    if last is None:
        raise CannotReplay
    # The last event is read once more: coming first shows that it is one that this user can have seen.
    before = Position(last.tx, last.id - 1)
    events = _read(before, user_id, is_staff, settings.SOCKET_REPLAY_EVENTS + 2)
    if not events or events[0].position != last or len(events) > settings.SOCKET_REPLAY_EVENTS + 1:
        raise CannotReplay
    return announce(events[1:])


def _read(after: Position, user_id: int, is_staff: bool, limit: int) -> list[LoggedEvent]:
    if is_staff:
        return event_log.read_after(after, limit)
    return event_log.read_user_after(user_id, after, limit)
