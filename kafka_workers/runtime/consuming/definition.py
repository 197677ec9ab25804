"""The definition of a consumer: what it reads, and what it does with a batch or with each message."""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from msgspec import Struct

from foundation.pacing import WORKER_PACING, Pacing
from kafka_workers.runtime.consuming.offsets import Partition
from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage

T = TypeVar("T")


class DecodedMessage(Struct, Generic[T], frozen=True):
    """A message and its decoded value."""

    received: ReceivedMessage
    value: T


class SomeFailed(Exception):
    """Raised by `handle`: each message of the batch is handled, but for those in `failures`, by their index.

    `answers` are those to send for the others. Without it the whole batch is handled again in halves.
    """

    def __init__(self, answers: list[OutgoingMessage], failures: Mapping[int, Exception]) -> None:
        super().__init__(f"{len(failures)} messages failed: {next(iter(failures.values()))}")
        self.answers = answers
        self.failures = failures


HandleEach = Callable[[DecodedMessage[T], DecodedMessage[T] | None], None]


@dataclass(frozen=True, kw_only=True)
class ConsumerDefinition(Generic[T]):
    """A consumer group, its topics, and its handling of messages: either `handle` or `handle_each`.

    `decode` decodes the value of one message; it raises InvalidMessage for a value that no retry can help.
    `handle` handles a batch in order and returns the answers to send. It must be idempotent, for the whole
    batch and for any part of it: after any failure before the offset commit the same messages come again. It
    raises DependencyUnavailable during an outage of a server that it needs, and SomeFailed where it knows
    which messages are at fault; any other exception means that one of them is.
    `handle_each` handles one message and sends no answer; it raises DependencyUnavailable too. The messages
    of a batch are handled one after the other, in order, and one that fails is not the reason to handle
    another one again. After a crash the last messages come again. It is also given the message that is
    likely to be the next, so that it can be prepared without any effect while a server is awaited. Here the
    messages of a batch, of all partitions, are in the order of their records' times.
    `finish` ends what `handle_each` has left open; it is called before any of the messages handled so far
    counts as handled. It raises DependencyUnavailable, after which all of them come again.
    `warm_up` does once, without any effect, what the first batch would otherwise wait for; it may fail.
    `check` runs before anything else and raises ImproperlyConfigured where the settings do not fit.
    `clean_up` runs when the consumer has ended; it raises nothing.
    `beside` are functions that run in threads of their own until the event is set; if one fails, so does the
    worker.
    `at_end` is called about once a second with the partitions of which every message is handled and
    committed. It is quick and raises nothing.
    `batch_size` is the most messages in one batch; batches shrink while one takes longer than `time_budget`
    seconds. `pacing` says how long the next batch waits for more messages.
    """

    group: str
    topics: Sequence[str]
    decode: Callable[[ReceivedMessage], T]
    handle: Callable[[Sequence[DecodedMessage[T]]], Iterable[OutgoingMessage]] | None = None
    handle_each: "HandleEach[T] | None" = None
    finish: Callable[[], None] = lambda: None
    warm_up: Callable[[], None] = lambda: None
    check: Callable[[], None] = lambda: None
    clean_up: Callable[[], None] = lambda: None
    beside: Sequence[Callable[[threading.Event], None]] = ()
    at_end: Callable[[Collection[Partition]], None] | None = None
    batch_size: int = 2000
    time_budget: float = 1.0
    pacing: Pacing = WORKER_PACING

    def __post_init__(self) -> None:
        assert (self.handle is None) != (self.handle_each is None), "one of handle and handle_each"
