"""Reading what a record on the broker holds, also where it is malformed: headers, size and time."""

from datetime import UTC, datetime
from typing import cast

from confluent_kafka import Message

from kafka_workers.runtime.broker.client_config import MESSAGE_BYTES

Headers = dict[str, bytes | None]

LARGEST_BYTES = MESSAGE_BYTES + 32_768
"""Largest message that is read, including the headers of earlier failures.

The broker's own limit applies to compressed batches: ten megabytes of blanks pass it.
"""

_FIRST_MILLISECOND = int(datetime.min.replace(tzinfo=UTC).timestamp() * 1000)
_LAST_MILLISECOND = int(datetime.max.replace(tzinfo=UTC, microsecond=0).timestamp() * 1000)


def headers_of(message: Message) -> Headers:
    """The headers by name; the last one wins. Empty when a name is not UTF-8."""
    try:
        headers = message.headers()
    except UnicodeDecodeError:
        return {}
    return dict(cast("list[tuple[str, bytes | None]]", headers or []))


def text_of(value: bytes | None) -> str:
    """A header's value as text; raises UnicodeDecodeError."""
    return (value or b"").decode()


def size_of(message: Message, headers: Headers) -> int:
    """Uncompressed bytes of key, value and headers; `headers` are the message's."""
    size = len(message.key() or b"") + len(message.value() or b"")
    if headers:
        size += sum(map(len, headers)) + sum(map(len, filter(None, headers.values())))
    return size


def has_time(message: Message) -> bool:
    """Whether the timestamp of a record is in the years 1 to 9999."""
    return _FIRST_MILLISECOND <= message.timestamp()[1] <= _LAST_MILLISECOND


def time_of(message: Message) -> datetime | None:
    """The timestamp of a record; None for one that is not in the years 1 to 9999."""
    return datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC) if has_time(message) else None
