"""The messages with which our services answer commands."""

from datetime import datetime

from kafka_workers.contract.own_messages import own_message
from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage
from orders_app.payments.messages import PaymentMessage
from products_app.messages import InventoryRejected, InventoryReleased, InventoryReserved

Answer = InventoryReserved | InventoryRejected | InventoryReleased | PaymentMessage


def answer_message(request: ReceivedMessage, answer: Answer, now: datetime, *, of: str) -> OutgoingMessage:
    """The answer to a command; `of` identifies what it is about among all answers of its topic."""
    return own_message(
        answer, answer.order_id, of=of, time=now, cause=request.id, trace_parent=request.trace_parent
    )
