"""The failures of a message, recorded in its headers (docs/failures.md)."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Literal, Self

import msgspec
from confluent_kafka import Message
from msgspec import Meta, Struct

from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.group_topics import is_retry_topic_of, retry_number
from kafka_workers.runtime.messages.record import Headers, headers_of, text_of

PREFIX = "failure_"
_GROUP = f"{PREFIX}group"
REDRIVEN_FOR = "redriven_for"
REASON_LIMIT = 1000
"""Longest reason kept, in characters."""

Kind = Literal["invalid", "handler"]
Attempts = Annotated[int, Meta(ge=0, le=1000)]
Partition = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Offset = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class UnreadableFailure(Exception):
    """Headers of a retry or dead letter that its group did not write."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Failure(Struct, frozen=True, kw_only=True):
    """The failures of one message so far, in one group.

    `topic`, `partition` and `offset` are where the message was first read; `exception`, `reason` and
    `last_at` are of the latest failure. Redriving resets `attempts` to 0 and keeps the origin and
    `first_at`.
    """

    group: str
    topic: str
    partition: Partition
    offset: Offset
    attempts: Attempts
    kind: Kind
    exception: str
    reason: str
    first_at: datetime
    last_at: datetime

    @classmethod
    def from_error(
        cls, message: Message, group: str, topics: Collection[str], error: BaseException, now: datetime
    ) -> Self:
        """The failures of a message of a group that reads `topics`, this error included."""
        try:
            before = read_failure(message, headers_of(message), group, topics)
        except UnreadableFailure:
            before = None
        return cls(
            group=group,
            topic=before.topic if before else str(message.topic()),
            partition=before.partition if before else int(message.partition() or 0),
            offset=before.offset if before else int(message.offset() or 0),
            attempts=before.attempts + 1 if before else 1,
            kind="invalid" if isinstance(error, InvalidMessage) else "handler",
            exception=type(error).__qualname__,
            # Half of a surrogate pair cannot be sent.
            reason=str(error)[:REASON_LIMIT].encode(errors="backslashreplace").decode()[:REASON_LIMIT],
            first_at=before.first_at if before else now,
            last_at=now,
        )

    def as_headers(self) -> dict[str, str | bytes | None]:
        """The headers that record these failures."""
        fields = msgspec.to_builtins(self, str_keys=True)
        return {PREFIX + name: str(value) for name, value in fields.items()}


def is_for_another_group(headers: Headers, group: str) -> bool:
    """Whether a message was redriven for another group than this one, which has handled it already."""
    target = headers.get(REDRIVEN_FOR)
    return target is not None and target != group.encode()


def read_failure(message: Message, headers: Headers, group: str, topics: Collection[str]) -> Failure | None:
    """The earlier failures of a message that this group has first read from one of its `topics`.

    In one of these topics only a redriven message has any: headers that say otherwise mean nothing there. In
    a retry or dead-letter topic each message must have them. Raises UnreadableFailure, with what is wrong.
    """
    topic = str(message.topic())
    if topic not in topics:
        return _require_failure(headers, topic, group, topics)
    if _GROUP not in headers:
        return None
    try:
        failure = _parse(headers)
    except UnreadableFailure:
        return None
    return failure if (failure.group, failure.topic, failure.attempts) == (group, topic, 0) else None


def _require_failure(headers: Headers, topic: str, group: str, topics: Collection[str]) -> Failure:
    failure, number = _parse(headers), retry_number(topic)
    if failure.group != group:
        raise UnreadableFailure(f"failure_group is {failure.group!r} in a topic of {group}")
    # Of a record that the group did not write, its dead letter says that it comes from a retry topic.
    may_be_retry_topic = number is None and is_retry_topic_of(failure.topic, group)
    if failure.topic not in topics and not may_be_retry_topic:
        raise UnreadableFailure(f"failure_topic is {failure.topic!r}, no topic that {group} reads")
    if number is not None and failure.attempts != number:
        raise UnreadableFailure(f"failure_attempts is {failure.attempts} in retry topic {number}")
    return failure


def _parse(headers: Headers) -> Failure:
    if _GROUP not in headers:
        raise UnreadableFailure("no header says which group has failed to handle it")
    try:
        fields = {
            name.removeprefix(PREFIX): text_of(value)
            for name, value in headers.items()
            if name.startswith(PREFIX)
        }
        return msgspec.convert(fields, Failure, strict=False)
    except (msgspec.ValidationError, UnicodeDecodeError) as error:
        raise UnreadableFailure(f"its failure_ headers cannot be read: {error}") from error
