"""The format of a message: CloudEvents 1.0, binary mode (docs/asyncapi.yaml).

A received message without any `ce_` header is accepted too; its id is then topic/partition/offset.
"""

import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from confluent_kafka import Message
from msgspec import Meta, Struct

from foundation.tracing import trace_parent_from
from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.messages.failure import UnreadableFailure, read_failure
from kafka_workers.runtime.messages.record import LARGEST_BYTES, Headers, has_time, size_of, text_of
from kafka_workers.runtime.messages.schema_id import SCHEMA_ID_HEADER

JSON = "application/json"
_PREFIX = "ce_"
_TRACE_PARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
NotEmpty = Annotated[str, Meta(min_length=1)]


class OutgoingMessage(Struct, frozen=True):
    """A message to send. Without a key it goes to any partition."""

    topic: str
    key: str | bytes | None
    value: bytes | None
    headers: dict[str, str | bytes | None]


class ReceivedMessage(Struct, frozen=True, kw_only=True):
    """A message to handle.

    `topic`, `partition` and `offset` are where it was first read, before any retry or redrive; `attempt` is 1
    for the first handling. `time` is its `ce_time`; `cause` is the id of the message that it answers.
    """

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    id: str
    type: str
    source: str
    subject: str
    time: datetime | None
    sequence: int | None
    cause: str
    trace_parent: str
    attempt: int

    @property
    def log_context(self) -> dict[str, object]:
        """The fields of a log line about this message."""
        return {
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "order": self.key,
            "trace_parent": self.trace_parent,
        }


def cloud_event(  # noqa: PLR0913 - one argument for each attribute
    topic: str,
    key: str,
    value: bytes,
    *,
    id: str,  # noqa: A002 - the attribute's name in CloudEvents
    source: str,
    time: datetime,
    subject: str,
    data_schema: str,
    schema_id: bytes | None = None,
    sequence: int | None = None,
    cause: str = "",
    trace_parent: str = "",
) -> OutgoingMessage:
    """A JSON value as a CloudEvent of type `topic`; `time` has a time zone, `cause` is what it answers.

    `schema_id` is what the schema registry knows the schema by. Without a `trace_parent` the message starts a
    trace, the same one whenever it is sent.
    """
    headers: dict[str, str | bytes | None] = {
        "ce_specversion": "1.0",
        "ce_id": id,
        "ce_type": topic,
        "ce_source": source,
        "ce_time": _in_utc(time),
        "ce_subject": subject,
        "ce_dataschema": data_schema,
        "content-type": JSON,
        "traceparent": trace_parent or trace_parent_from(id),
    }
    if schema_id is not None:
        headers[SCHEMA_ID_HEADER] = schema_id
    if sequence is not None:
        headers["ce_sequence"] = str(sequence)
    if cause:
        headers["ce_causationid"] = cause
    return OutgoingMessage(topic, key, value, headers)


_encode_time = msgspec.json.Encoder().encode


def _in_utc(time: datetime) -> str:
    # A fifth of the time that isoformat() takes; the encoder puts it in quotes.
    return _encode_time(time if time.tzinfo is UTC else time.astimezone(UTC))[1:-1].decode()


def receive(message: Message, headers: Headers, group: str, topics: Collection[str]) -> ReceivedMessage:
    """Validate one Kafka message, except its value, for a group that reads `topics`.

    `headers` are the message's. Raises InvalidMessage when it is too large, has no value or an impossible
    time, when its headers are not those of a CloudEvent, or when it waits in a retry topic with headers that
    the group did not write.
    """
    if (size := size_of(message, headers)) > LARGEST_BYTES:
        raise InvalidMessage(f"the message has {size} bytes, more than {LARGEST_BYTES}")
    value = message.value()
    if value is None:
        raise InvalidMessage("the message has no value")
    if not has_time(message):
        raise InvalidMessage(f"the timestamp {message.timestamp()[1]} is no time: not in the years 1 to 9999")
    try:
        failure = read_failure(message, headers, group, topics)
    except UnreadableFailure as error:
        raise InvalidMessage(error.reason) from error
    topic = failure.topic if failure else str(message.topic())
    partition = failure.partition if failure else int(message.partition() or 0)
    offset = failure.offset if failure else int(message.offset() or 0)
    event = _event_of(headers, topic) or _Event(id=f"{topic}/{partition}/{offset}", type=topic)
    return ReceivedMessage(
        topic=topic,
        partition=partition,
        offset=offset,
        key=(message.key() or b"").decode(errors="replace"),
        value=value,
        id=event.id,
        type=event.type,
        source=event.source,
        subject=event.subject,
        time=event.time,
        sequence=event.sequence,
        cause=event.causationid,
        trace_parent=_trace_parent(headers) or trace_parent_from(event.id),
        attempt=failure.attempts + 1 if failure else 1,
    )


class _Event(Struct, frozen=True, kw_only=True):
    """The attributes of a CloudEvent that this system reads."""

    id: NotEmpty
    type: NotEmpty
    source: str = ""
    subject: str = ""
    specversion: Literal["1.0"] = "1.0"
    time: Annotated[datetime, Meta(tz=True)] | None = None
    sequence: int | None = None
    causationid: str = ""


class _CompleteEvent(_Event, frozen=True, kw_only=True):
    """The attributes that are required in a message with any `ce_` header."""

    source: NotEmpty
    specversion: Literal["1.0"]


def _event_of(headers: Headers, topic: str) -> _Event | None:
    """The CloudEvent in the headers; None when there is no `ce_` header at all. Raises InvalidMessage."""
    try:
        attributes = {
            name[len(_PREFIX) :]: text_of(value)
            for name, value in headers.items()
            if name.startswith(_PREFIX)
        }
        if not attributes:
            return None
        event = msgspec.convert(attributes, _CompleteEvent, strict=False)
        media_type = text_of(headers.get("content-type")).partition(";")[0].strip()
    except UnicodeDecodeError as error:
        raise InvalidMessage(f"a CloudEvents header is not UTF-8: {error}") from error
    except msgspec.ValidationError as error:
        raise InvalidMessage(f"CloudEvents headers: {error}") from error
    if event.type != topic:
        raise InvalidMessage(f"ce_type is {event.type!r} in topic {topic!r}")
    if media_type not in ("", JSON):
        raise InvalidMessage(f"content-type is {media_type!r}, not {JSON}")
    return event


def _trace_parent(headers: Headers) -> str:
    """The trace context; empty when it is malformed, which does not make the message invalid."""
    value = headers.get("traceparent")
    return value.decode() if value and _TRACE_PARENT.fullmatch(value) else ""
