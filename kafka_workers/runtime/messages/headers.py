"""Reading the headers of a Kafka message, also malformed ones."""

from typing import cast

from confluent_kafka import Message

Headers = dict[str, bytes | None]


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
