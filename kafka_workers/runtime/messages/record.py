"""Reading what a record on the broker holds, also where it is malformed: headers and size."""

from typing import cast

from confluent_kafka import Message

from kafka_workers.runtime.broker.client_config import MESSAGE_BYTES

Headers = dict[str, bytes | None]

LARGEST_BYTES = MESSAGE_BYTES + 32_768
"""Largest message that is read, including the headers of earlier failures.

The broker's own limit applies to compressed batches: ten megabytes of blanks pass it.
"""


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
    named = sum(map(len, headers)) + sum(map(len, filter(None, headers.values())))
    return len(message.key() or b"") + len(message.value() or b"") + named
