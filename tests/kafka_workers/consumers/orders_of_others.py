"""Messages about orders that are not ours, as other programs send them."""

import json
from typing import Any

from kafka_workers.consumers.analytics import decode, handle
from kafka_workers.runtime.consuming.definition import DecodedMessage
from kafka_workers.runtime.messages.message import ReceivedMessage

LAMP = {"productId": "lamp", "productName": "Lamp", "quantity": 2, "price": "7.50", "category": "Light"}
STATUSES = ("", "Pending", "Processing", "Shipped", "Delivered", "Cancelled")


def sent(topic: str, value: dict[str, Any], sequence: int | None = None, source: str = "") -> ReceivedMessage:
    """A message as the consumer receives it; without a source it has no CloudEvents headers."""
    return ReceivedMessage(
        topic=topic,
        partition=0,
        offset=0,
        key=value["orderId"],
        value=json.dumps(value).encode(),
        id=f"{source}{value}" if source else f"{topic}/0/0",
        type=topic,
        source=source,
        subject="",
        time=None,
        sequence=sequence,
        cause="",
        trace_parent="",
        attempt=1,
    )


def life(order_id: str, user_id: str = "7", source: str = "") -> list[ReceivedMessage]:
    """An order of two lamps is placed, reserved, paid, shipped, delivered, and refunded in two parts."""
    about = {"orderId": order_id, "userId": user_id, "orderNumber": "N-1"}
    bought = {"totalAmount": "15.00", "items": [LAMP]}
    created = {"currency": "USD", "paymentMethod": 1, "createdAt": "2026-11-20T10:00:00Z"}
    moves = (
        {"newStatus": 2, "stockStatus": "reserved", "timestamp": "2026-11-20T10:00:02Z"},
        {"newStatus": 3, "stockStatus": "reserved", "paymentStatus": 2, "timestamp": "2026-11-20T11:00:00Z"},
        {"newStatus": 4, "stockStatus": "reserved", "paymentStatus": 2, "timestamp": "2026-11-21T09:00:00Z"},
    )
    values: list[tuple[str, dict[str, Any]]] = [
        ("order.created", bought | created),
        *(("order.status.changed", _labelled(move)) for move in moves),
        ("order.updated", {"timestamp": "2026-11-20T10:00:05Z", "paymentStatus": 2}),
        ("order.completed", bought | {"deliveredAt": "2026-11-21T09:00:00Z"}),
        ("order.updated", {"timestamp": "2026-11-22T09:00:00Z", "refundedAmount": "2.50"}),
        ("order.updated", {"timestamp": "2026-11-23T09:00:00Z", "refundedAmount": "5.00"}),
    ]
    versions = (1, 2, 4, 5, 3, 5, 6, 7)
    return [
        sent(topic, about | value, version if source else None, source)
        for (topic, value), version in zip(values, versions, strict=True)
    ]


def _labelled(move: dict[str, Any]) -> dict[str, Any]:
    new = move["newStatus"]
    labels = {"oldStatusLabel": STATUSES[new - 1], "newStatusLabel": STATUSES[new]}
    return {"oldStatus": new - 1, **labels, **move}


def hear(*messages: ReceivedMessage) -> None:
    """Has the consumer handle these messages as one batch."""
    handle([DecodedMessage(message, decode(message)) for message in messages])
