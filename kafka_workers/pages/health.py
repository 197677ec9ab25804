"""What is wrong in the whole system, in a few figures for staff: as of now, or as it was found last."""

from collections.abc import Sequence
from typing import NamedTuple

from foundation.kept import Kept
from kafka_workers.models import ParkedEvent
from kafka_workers.workers import GROUPS
from orders_app import event_log
from orders_app.event_log import RELAY_READER
from orders_app.models import GatewayEvent
from web.worker_health import complaints, seen_processes

DEAD_LETTER_SECONDS = 30.0


class Health(NamedTuple):
    """`dead_letters` are the open ones, None while that is not known. `unread_seconds` is how long the oldest
    event has waited for the relay, `gateway_events` how many wait for people. `workers` has a sentence for
    each process that does not work, and is None where nothing is known of them.
    """

    dead_letters: int | None
    parked_events: int
    unread_seconds: float
    gateway_events: int
    workers: Sequence[str] | None


def find_health() -> Health:
    """The figures now; the dead letters as they were found last. Raises the errors of the database."""
    open_events = GatewayEvent.objects.filter(resolved_at=None).exclude(kind=GatewayEvent.Kind.PAYMENT)
    return Health(
        dead_letters=open_dead_letters.last(),
        parked_events=ParkedEvent.objects.count(),
        unread_seconds=event_log.oldest_unread_age(event_log.stored_position(RELAY_READER)),
        gateway_events=open_events.count(),
        workers=_complaints(),
    )


def count_open_dead_letters() -> int:
    """The dead letters of all groups that are not resolved. Raises BrokerUnavailable."""
    # Imported here: a web process whose board and start page nobody opens has no Kafka client.
    from kafka_workers.runtime.dead_letters.letters import (  # noqa: PLC0415
        DeadLetterFilter,
        find_dead_letters,
    )

    return len(find_dead_letters(DeadLetterFilter(), GROUPS))


open_dead_letters = Kept(count_open_dead_letters, seconds=DEAD_LETTER_SECONDS)
"""All topics with dead letters are read for it: `last()` never waits for that."""


def _complaints() -> list[str] | None:
    processes = seen_processes()
    if processes is None:
        return None
    return [f"{worker}: {sentence}" for (worker, _), sentence in sorted(complaints(processes).items())]
