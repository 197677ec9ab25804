"""The spans of messages that are sent: one for each whose trace is recorded."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from foundation.tracing import TRACE_PARENT, Span, begin_span, ended, is_recorded, is_tracing
from kafka_workers.runtime.messages.message import OutgoingMessage

HEADER = "traceparent"


@contextmanager
def sent_spans(messages: Sequence[OutgoingMessage]) -> Iterator[Sequence[OutgoingMessage]]:
    """Record that these messages are sent. Gives those to send: what they cause belongs to their spans."""
    spans = _begin_spans(messages) if is_tracing() else {}
    if not spans:
        yield messages
        return
    with ended(*spans.values()):
        yield [_within(spans.get(index), message) for index, message in enumerate(messages)]


def _begin_spans(messages: Sequence[OutgoingMessage]) -> dict[int, Span]:
    """The spans by the index of their message."""
    return {
        index: _begin(message, trace_parent)
        for index, message in enumerate(messages)
        if is_recorded(trace_parent := _trace_parent_of(message)) and TRACE_PARENT.fullmatch(trace_parent)
    }


def _trace_parent_of(message: OutgoingMessage) -> str:
    """Its traceparent; a copy of a message of another program may have anything there."""
    header = message.headers.get(HEADER)
    return header if isinstance(header, str) else (header or b"").decode(errors="replace")


def _begin(message: OutgoingMessage, trace_parent: str) -> Span:
    key = message.key if isinstance(message.key, str) else (message.key or b"").decode(errors="replace")
    attributes = {
        "messaging.system": "kafka",
        "messaging.operation.type": "send",
        "messaging.destination.name": message.topic,
        "order.id": key,
    }
    return begin_span(f"send {message.topic}", trace_parent, "producer", attributes)


def _within(span: Span | None, message: OutgoingMessage) -> OutgoingMessage:
    if span is None:
        return message
    return msgspec.structs.replace(message, headers={**message.headers, HEADER: span.trace_parent})
