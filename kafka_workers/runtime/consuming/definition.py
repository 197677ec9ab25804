"""The definition of a consumer: what it reads, and what it does with a batch."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from msgspec import Struct

from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage

T = TypeVar("T")


class DecodedMessage(Struct, Generic[T], frozen=True):
    """A message and its decoded value."""

    received: ReceivedMessage
    value: T


@dataclass(frozen=True, kw_only=True)
class ConsumerDefinition(Generic[T]):
    """A consumer group, its topics, and its handling of a batch.

    `decode` decodes the value of one message; it raises InvalidMessage for a value that no retry can help.
    `handle` handles a batch in order and returns the answers to send. It must be idempotent, for the whole
    batch and for any part of it: after any failure before the offset commit the same messages come again. It
    raises DependencyUnavailable during an outage of a server that it needs; any other exception means that a
    message is at fault.
    `warm_up` does once, without any effect, what the first batch would otherwise wait for; it may fail.
    `batch_size` is the most messages in one batch; batches shrink while one takes longer than `time_budget`
    seconds.
    """

    group: str
    topics: Sequence[str]
    decode: Callable[[ReceivedMessage], T]
    handle: Callable[[Sequence[DecodedMessage[T]]], Iterable[OutgoingMessage]]
    warm_up: Callable[[], None] = lambda: None
    batch_size: int = 2000
    time_budget: float = 1.0
