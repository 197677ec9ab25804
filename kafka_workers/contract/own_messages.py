"""The messages that our services send: values of the contract as CloudEvents."""

from datetime import datetime

import msgspec
from msgspec import Struct

from kafka_workers.contract.topics import TOPIC_OF
from kafka_workers.runtime.messages.message import OutgoingMessage, cloud_event

_encode = msgspec.json.Encoder().encode


def own_message(  # noqa: PLR0913 - one argument for each attribute that the value and its topic do not give
    value: Struct,
    key: str,
    *,
    of: str,
    time: datetime,
    sequence: int | None = None,
    cause: str = "",
    trace_parent: str = "",
) -> OutgoingMessage:
    """The message with this value; `of` identifies what it is about among all messages of its topic."""
    topic = TOPIC_OF[type(value)]
    return cloud_event(
        topic.name,
        key,
        _encode(value),
        id=f"{of}:{topic.name}",
        source=topic.source,
        time=time,
        subject=key,
        data_schema=topic.data_schema,
        schema_id=topic.schema_id,
        sequence=sequence,
        cause=cause,
        trace_parent=trace_parent,
    )
