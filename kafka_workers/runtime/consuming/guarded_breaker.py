"""The circuit breaker of a consumer in its group: it waits there, tells of it, and outlives the process.

An open breaker does not end the process, because a supervisor would start it again at once, closed. The
worker stays a member of its group with all partitions paused, so no other member takes their messages. What
the breaker knows is kept by the broker, as a note with the offsets of the group: after a kill the next
process waits for the rest of the pause. SIGTERM ends the pause: the next process tries at once.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec
import structlog

from foundation import heartbeat
from foundation.heartbeat import OpenBreaker
from foundation.metrics import CIRCUIT_BREAKER_OPEN
from foundation.printable import printable
from kafka_workers.runtime.consuming.circuit_breaker import CircuitBreaker, CircuitBreakerLimits, Opening
from kafka_workers.runtime.consuming.membership import GroupMembership
from kafka_workers.runtime.consuming.retry import Outcome

REASON_CHARACTERS = 400

log = structlog.get_logger(__name__)


class GuardedBreaker:
    """The breaker of one member of a group."""

    def __init__(self, group: str, membership: GroupMembership) -> None:
        self._group = group
        self._membership = membership
        self._breaker = CircuitBreaker(CircuitBreakerLimits.from_settings())
        self.admit = self._breaker.admit
        self.batch_size = self._breaker.batch_size
        CIRCUIT_BREAKER_OPEN.labels(group).set(0)

    @property
    def is_open(self) -> bool:
        """Whether the breaker is open, while it tries a few messages too."""
        return self._breaker.opening is not None

    def must_wait(self) -> bool:
        """Whether nothing may be handled now; also where another process left its partitions so."""
        if self._membership.notes:
            notes, self._membership.notes = self._membership.notes, set()
            if self._breaker.is_new:
                self._restore(notes)
        return self._breaker.is_waiting

    def wait(self, stop: threading.Event) -> None:
        """Stay in the group and handle nothing until the next try, or until `stop` is set."""
        self._membership.stay_paused(self._breaker.seconds_left, stop)

    def count(self, outcomes: Sequence[Outcome], latest_reason: str) -> None:
        """Count the outcomes of a batch whose offsets are committed, and tell when that opens or closes."""
        with self._telling():
            self._breaker.count(outcomes, printable(latest_reason[:REASON_CHARACTERS])[:REASON_CHARACTERS])

    def settle(self) -> None:
        """Note that no message is waiting, and tell when that closes the breaker."""
        with self._telling():
            self._breaker.settle()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        before = self._breaker.opening
        yield
        if self._breaker.opening != before:
            self._keep(self._breaker.opening)
            self._tell(self._breaker.opening)

    def leave(self) -> None:
        """Let the next process try at once; a person has ended this one."""
        if opening := self._breaker.opening:
            self._membership.keep_note(_encode(msgspec.structs.replace(opening, try_at=datetime.now(UTC))))

    def _restore(self, notes: set[str]) -> None:
        openings = [opening for note in notes if (opening := _decode(note))]
        if openings:
            opening = max(openings, key=lambda each: (each.try_at, each.pauses))
            self._breaker.restore(opening)
            self._keep(opening)
            if self._breaker.is_waiting:
                self._tell(opening)

    def _keep(self, opening: Opening | None) -> None:
        self._membership.keep_note(_encode(opening) if opening else "")
        CIRCUIT_BREAKER_OPEN.labels(self._group).set(opening is not None)
        heartbeat.tell(
            OpenBreaker(self._group, opening.reason, opening.since, opening.try_at) if opening else None
        )

    def _tell(self, opening: Opening | None) -> None:
        if opening:
            log.error(
                "circuit breaker open: no message is handled until the next try",
                reason=opening.reason,
                since=opening.since.isoformat(timespec="seconds"),
                try_at=opening.try_at.isoformat(timespec="seconds"),
            )
        else:
            log.info("circuit breaker closed: messages are handled again")


def _encode(opening: Opening) -> str:
    return msgspec.json.encode(opening).decode()


def _decode(note: str) -> Opening | None:
    """What a note says; None for one that is not ours."""
    try:
        return msgspec.json.decode(note, type=Opening)
    except msgspec.MsgspecError:
        return None
