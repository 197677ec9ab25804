"""The limit on a message's uncompressed size.

The broker's limit applies to compressed batches: ten megabytes of blanks pass it.
"""

from confluent_kafka import Message

from kafka_workers.runtime.broker.client_config import MESSAGE_BYTES
from kafka_workers.runtime.messages.headers import Headers

LARGEST_BYTES = MESSAGE_BYTES + 32_768
"""Largest message that is read, including the headers of earlier failures."""


def size_of(message: Message, headers: Headers) -> int:
    """Uncompressed bytes of key, value and headers; `headers` are the message's."""
    named = sum(map(len, headers)) + sum(map(len, filter(None, headers.values())))
    return len(message.key() or b"") + len(message.value() or b"") + named
