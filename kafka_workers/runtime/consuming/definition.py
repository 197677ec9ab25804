"""What a business consumer tells the runtime about itself."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from msgspec import Struct

from kafka_workers.runtime.messages.message import Outgoing, Received

T = TypeVar("T")


class Work(Struct, Generic[T], frozen=True):
    """A message and what its value says."""

    received: Received
    value: T


@dataclass(frozen=True, kw_only=True)
class ConsumerDefinition(Generic[T]):
    """A group, what it reads, and what it does with a batch.

    `decode` reads one value; it raises InvalidMessage for one that no repetition can mend.
    `handle` does the work of a batch, in its order, and returns the answers to send. It must be safe to run
    again with the same messages, whole or in part: whatever fails before the offsets are committed brings
    them again. It raises DependencyUnavailable while a server it needs is away; any other exception means
    that a message is at fault.
    `batch_size` is the most messages handed over at once; batches shrink while one takes longer than
    `time_budget` seconds.
    """

    group: str
    topics: Sequence[str]
    decode: Callable[[Received], T]
    handle: Callable[[Sequence[Work[T]]], Iterable[Outgoing]]
    batch_size: int = 2000
    time_budget: float = 1.0
