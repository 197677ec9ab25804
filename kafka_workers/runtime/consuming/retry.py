"""Retries of a failed message: its outcome, the copy for its next topic, and when the copy is due."""

import time
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

import msgspec
from confluent_kafka import Message

from kafka_workers.runtime.group_topics import dead_letter_topic, retry_number, retry_topic
from kafka_workers.runtime.messages.failure import PREFIX, Failure
from kafka_workers.runtime.messages.message import OutgoingMessage
from kafka_workers.runtime.messages.record import LARGEST_BYTES, headers_of, size_of

TRUNCATED_FROM = f"{PREFIX}cut_from"
"""Header of a truncated dead letter: the size of the original message in bytes."""
KEPT_KEY_BYTES = 1_000
KEPT_VALUE_BYTES = 64 * 1024


class Outcome(StrEnum):
    """The result of handling one message; the values are labels of the metric."""

    HANDLED = "handled"
    RETRIED = "retried"
    DEAD_LETTERED = "dead_lettered"
    INVALID = "invalid"

    @property
    def is_dead(self) -> bool:
        return self is Outcome.DEAD_LETTERED or self is Outcome.INVALID


def outcome_of(failure: Failure, delays: Sequence[float]) -> Outcome:
    """An invalid message is given up at once, any other that failed after one retry for each delay."""
    if failure.kind == "invalid":
        return Outcome.INVALID
    return Outcome.DEAD_LETTERED if failure.attempts > len(delays) else Outcome.RETRIED


def with_patience(failure: Failure, patience: timedelta | None, delays: Sequence[float]) -> Failure:
    """The failure of a message that is to be tried for so long: after the last retry topic again in that one.

    A redrive does not begin anew: it tries as often as any message is tried.
    """
    if patience is None or not delays or failure.last_at - failure.first_at > patience:
        return failure
    return msgspec.structs.replace(failure, attempts=min(failure.attempts, len(delays)))


def failed_copy(message: Message, failure: Failure, delays: Sequence[float]) -> OutgoingMessage:
    """The copy of a failed message for its next retry topic or the dead letters.

    Key, value and headers stay, but headers about earlier failures are replaced. A message that is too large
    for any topic is truncated; the original stays in the topic where it was first read.
    """
    found = headers_of(message)
    if size_of(message, found) > LARGEST_BYTES:
        return truncated_copy(message, failure)
    is_dead = outcome_of(failure, delays).is_dead
    topic = dead_letter_topic(failure.group) if is_dead else retry_topic(failure.group, failure.attempts)
    kept = {name: value for name, value in found.items() if not name.startswith(PREFIX)}
    return OutgoingMessage(topic, message.key(), message.value(), {**kept, **failure.as_headers()})


def truncated_copy(message: Message, failure: Failure) -> OutgoingMessage:
    """The dead letter for a message that is too large: the beginning of its key and value."""
    key, value = (message.key() or b"")[:KEPT_KEY_BYTES], (message.value() or b"")[:KEPT_VALUE_BYTES]
    size = size_of(message, headers_of(message))
    headers = failure.as_headers() | {TRUNCATED_FROM: str(size)}
    return OutgoingMessage(dead_letter_topic(failure.group), key, value, headers)


def seconds_until_due(message: Message, delays: Sequence[float]) -> float:
    """How long a message of a retry topic must still wait; 0 for messages of other topics.

    Never longer than the delay of its retry topic, even when the clocks of two machines differ.
    """
    delay = delay_of(str(message.topic()), delays)
    return min(delay, max(0.0, due_time(message, delays) - time.time()))


def due_time(message: Message, delays: Sequence[float]) -> float:
    """When a message may be handled, in seconds since 1970: its time, and the delay of its retry topic."""
    return message.timestamp()[1] / 1000 + delay_of(str(message.topic()), delays)


def delay_of(topic: str, delays: Sequence[float]) -> float:
    """How many seconds the messages of a retry topic wait; 0 for other topics."""
    number = retry_number(topic)
    return 0.0 if number is None or number > len(delays) else delays[number - 1]
