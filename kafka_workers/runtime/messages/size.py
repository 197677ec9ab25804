"""How large a message may be once it is unpacked.

The broker's limit is on what is sent: ten compressed megabytes of blanks pass it.
"""

from confluent_kafka import Message

from kafka_workers.runtime.broker.client_config import MESSAGE_BYTES
from kafka_workers.runtime.messages.headers import Headers

LARGEST_BYTES = MESSAGE_BYTES + 32_768
"""Largest message that is read, the headers of earlier failures included."""


def size_of(message: Message, headers: Headers) -> int:
    """Bytes of key, value and these headers, which are the message's, unpacked."""
    named = sum(map(len, headers)) + sum(map(len, filter(None, headers.values())))
    return len(message.key() or b"") + len(message.value() or b"") + named
