"""Sends the messages of events again that the relay has sent before: after a restore (docs/backup.md)."""

from datetime import datetime

from foundation.advisory_lock import Lock, release_lock, take_lock
from orders_app import event_log
from orders_app.event_log import RELAY_READER


class RelayRuns(Exception):
    """A relay leads: it would go on from where it is."""

    def __init__(self) -> None:
        super().__init__("a relay runs, which goes on from where it is: stop all relays first")


def resend_events(since: datetime) -> int:
    """Have the next relay begin with the events since this time; how many events it has then before it.

    A relay that has not come so far begins where it is. Consumers know repetitions by their ids. Raises
    RelayRuns, with nothing changed, and the errors of the database.
    """
    if not take_lock(Lock.RELAY):
        raise RelayRuns
    try:
        stored = event_log.stored_position(RELAY_READER)
        earlier = event_log.position_before(since)
        if earlier is not None and earlier < stored:
            event_log.store_position(RELAY_READER, earlier)
        return event_log.count_unread(event_log.stored_position(RELAY_READER))
    finally:
        release_lock(Lock.RELAY)
