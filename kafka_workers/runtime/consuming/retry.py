"""What becomes of a message, and when one that waits is due."""

import time
from collections.abc import Sequence
from enum import StrEnum

from confluent_kafka import Message

from kafka_workers.runtime.group_topics import dead_letter_topic, retry_number, retry_topic
from kafka_workers.runtime.messages.failure import PREFIX, Failure
from kafka_workers.runtime.messages.headers import headers_of
from kafka_workers.runtime.messages.message import Outgoing
from kafka_workers.runtime.messages.size import LARGEST_BYTES, size_of

CUT_FROM = f"{PREFIX}cut_from"
"""Header of a dead letter that was too large to keep: its size. What is kept is its beginning."""
KEPT_KEY_BYTES = 1_000
KEPT_VALUE_BYTES = 64 * 1024


class Outcome(StrEnum):
    """What became of a message; the names are those of the metric."""

    HANDLED = "handled"
    RETRIED = "retried"
    DEAD_LETTERED = "dead_lettered"
    INVALID = "invalid"

    @property
    def is_dead(self) -> bool:
        return self is Outcome.DEAD_LETTERED or self is Outcome.INVALID


def outcome_of(failure: Failure | None, delays: Sequence[float]) -> Outcome:
    """An invalid message is given up at once, any other after one retry for each delay."""
    if failure is None:
        return Outcome.HANDLED
    if failure.kind == "invalid":
        return Outcome.INVALID
    return Outcome.DEAD_LETTERED if failure.attempts > len(delays) else Outcome.RETRIED


def set_aside(message: Message, failure: Failure, delays: Sequence[float]) -> Outgoing:
    """The copy of a failed message for its next retry topic or the dead letters.

    Key, value and headers stay; those headers that tell of earlier failures are replaced. Of a message that
    is too large for any topic only the beginning stays; the whole of it is where it was first read.
    """
    found = headers_of(message)
    if (size := size_of(message, found)) > LARGEST_BYTES:
        return cut(message, failure, size)
    is_dead = outcome_of(failure, delays).is_dead
    topic = dead_letter_topic(failure.group) if is_dead else retry_topic(failure.group, failure.attempts)
    headers = {name: value for name, value in found.items() if not name.startswith(PREFIX)}
    return Outgoing(topic, message.key(), message.value(), headers | failure.as_headers())


def cut(message: Message, failure: Failure, size: int) -> Outgoing:
    """The dead letter that stands for a message of this many bytes."""
    key, value = (message.key() or b"")[:KEPT_KEY_BYTES], (message.value() or b"")[:KEPT_VALUE_BYTES]
    headers = failure.as_headers() | {CUT_FROM: str(size)}
    return Outgoing(dead_letter_topic(failure.group), key, value, headers)


def seconds_until_due(message: Message, delays: Sequence[float]) -> float:
    """How long a message must wait still; 0 outside the retry topics.

    Never longer than the delay of its retry topic, whatever the clocks say.
    """
    number = retry_number(str(message.topic()))
    if number is None or number > len(delays):
        return 0
    delay = delays[number - 1]
    waited = time.time() - message.timestamp()[1] / 1000
    return min(delay, max(0.0, delay - waited))
