"""The failures of a message, recorded in its headers (docs/failures.md)."""

from datetime import datetime
from typing import Literal, Self

import msgspec
from confluent_kafka import Message
from msgspec import Struct

from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.group_topics import is_for_failed_messages
from kafka_workers.runtime.messages.record import Headers, headers_of, text_of

PREFIX = "failure_"
_GROUP = f"{PREFIX}group"
REDRIVEN_FOR = "redriven_for"
REASON_LIMIT = 1000
"""Longest reason kept, in characters."""

Kind = Literal["invalid", "handler"]


class Failure(Struct, frozen=True, kw_only=True):
    """The failures of one message so far, in one group.

    `topic`, `partition` and `offset` are where the message was first read; `exception`, `reason` and
    `last_at` are of the latest failure. Redriving resets `attempts` to 0 and keeps the origin and
    `first_at`.
    """

    group: str
    topic: str
    partition: int
    offset: int
    attempts: int
    kind: Kind
    exception: str
    reason: str
    first_at: datetime
    last_at: datetime

    @classmethod
    def from_message(cls, message: Message, headers: Headers) -> Self | None:
        """The failures that the message's headers record; None without such headers or with invalid ones."""
        try:
            failure = cls._from_headers(headers)
        except (msgspec.ValidationError, UnicodeDecodeError):
            return None
        topic = str(message.topic())
        return failure if failure and (failure.topic == topic or is_for_failed_messages(topic)) else None

    @classmethod
    def _from_headers(cls, headers: Headers) -> Self | None:
        if _GROUP not in headers:
            return None
        fields = {
            name.removeprefix(PREFIX): text_of(value)
            for name, value in headers.items()
            if name.startswith(PREFIX)
        }
        return msgspec.convert(fields, cls, strict=False)

    @classmethod
    def from_error(cls, message: Message, group: str, error: Exception, now: datetime) -> Self:
        """The failures of a message, this error included."""
        before = cls.from_message(message, headers_of(message))
        return cls(
            group=group,
            topic=before.topic if before else str(message.topic()),
            partition=before.partition if before else int(message.partition() or 0),
            offset=before.offset if before else int(message.offset() or 0),
            attempts=before.attempts + 1 if before else 1,
            kind="invalid" if isinstance(error, InvalidMessage) else "handler",
            exception=type(error).__qualname__,
            reason=str(error)[:REASON_LIMIT],
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
