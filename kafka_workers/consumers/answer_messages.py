"""The messages with which our services answer commands."""

from datetime import datetime

import msgspec

from kafka_workers.contract.topics import TOPIC_OF
from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage, cloud_event
from orders_app.payments.messages import PaymentMessage
from products_app.messages import InventoryRejected, InventoryReleased, InventoryReserved

Answer = InventoryReserved | InventoryRejected | InventoryReleased | PaymentMessage

_encode = msgspec.json.Encoder().encode


def answer_message(request: ReceivedMessage, answer: Answer, now: datetime, *, of: str) -> OutgoingMessage:
    """The answer to a command; `of` identifies what it is about among all answers of its topic."""
    topic = TOPIC_OF[type(answer)]
    return cloud_event(
        topic.name,
        answer.order_id,
        _encode(answer),
        id=f"{of}:{topic.name}",
        source=topic.source,
        time=now,
        subject=answer.order_id,
        data_schema=topic.data_schema,
        schema_id=topic.schema_id,
        cause=request.id,
        trace_parent=request.trace_parent,
    )
