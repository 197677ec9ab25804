"""The spans of a batch: one for each message whose trace is recorded, and one for handling all of them."""

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from confluent_kafka import Message

from foundation.tracing import Span, batch_span, begin_span, is_recorded
from kafka_workers.runtime.consuming.definition import DecodedMessage
from kafka_workers.runtime.messages.failure import Failure
from kafka_workers.runtime.messages.message import ReceivedMessage

Record = tuple[str | None, int | None, int | None]
"""Topic, partition and offset."""


class BatchSpans:
    """The spans of the messages that a group has received and not finished yet."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._open: dict[Record, Span] = {}

    def forget(self) -> None:
        """The messages received so far are received anew: only the last time is recorded."""
        self._open.clear()

    def begin(self, message: Message, received: ReceivedMessage) -> ReceivedMessage:
        """Begin the message's span, where its trace is recorded; what the message causes belongs to it."""
        if not is_recorded(received.trace_parent):
            return received
        record = _record(message)
        topic, partition, offset = record
        attributes: dict[str, str | int] = {
            "messaging.system": "kafka",
            "messaging.operation.type": "process",
            "messaging.destination.name": str(topic),
            "messaging.destination.partition.id": str(partition),
            "messaging.kafka.offset": int(offset or 0),
            "messaging.consumer.group.name": self._group,
            "messaging.message.id": received.id,
            "order.id": received.key,
        }
        span = self._open[record] = begin_span(
            f"process {topic}", received.trace_parent, "consumer", attributes
        )
        return msgspec.structs.replace(received, trace_parent=span.trace_parent)

    @contextmanager
    def handling(self, decoded: Sequence[DecodedMessage[Any]]) -> Iterator[None]:
        """Record that these messages are handled together."""
        trace_parents = {each.received.trace_parent for each in decoded} if self._open else set()
        with batch_span(f"handle {self._group}", trace_parents, size=len(decoded)) as batch:
            if batch:
                self._link(trace_parents, batch.trace_parent)
            yield

    @contextmanager
    def handling_one(self, message: Message) -> Iterator[None]:
        """Record that this message is handled by itself; it is finished then, unless that fails."""
        span = self._open.get(_record(message)) if self._open else None
        if span is None:
            yield
            return
        with span.current():
            yield
        self._end(message)

    def end_all(self, messages: Sequence[Message], failures: Mapping[int, Failure]) -> None:
        """These messages are finished; those of `failures`, by their index, go to their next topic."""
        for index, message in enumerate(messages if self._open else ()):
            self._end(message, failures[index].exception if index in failures else "")

    def _link(self, trace_parents: Container[str], batch: str) -> None:
        for span in self._open.values():
            if span.trace_parent in trace_parents:
                span.link(batch)

    def _end(self, message: Message, error: str = "") -> None:
        if span := self._open.pop(_record(message), None):
            span.end(error)


def _record(message: Message) -> Record:
    return message.topic(), message.partition(), message.offset()
