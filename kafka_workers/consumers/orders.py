"""The order consumer: records the answers of the stock service on the orders, and sends nothing itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.db import InterfaceError, OperationalError, close_old_connections

from foundation.outage import DependencyUnavailable
from kafka_workers.consumers.message_values import ValueReader
from kafka_workers.contract.topics import TOPIC_OF
from kafka_workers.runtime.consuming.definition import ConsumerDefinition, DecodedMessage
from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage
from kafka_workers.workers import ORDER
from orders_app.services.record_stock_answers import record_answers
from orders_app.services.stock_answers import (
    MessageOrigin,
    StockAnswer,
    StockRejected,
    StockReleased,
    StockReserved,
    StockShortage,
)
from products_app.messages import InventoryRejected, InventoryReleased, InventoryReserved, StockLine

ACTOR = "service:products"


def _reserved(value: InventoryReserved, origin: MessageOrigin) -> StockAnswer:
    return StockReserved(value.order_id, _quantities(value.items), origin)


def _rejected(value: InventoryRejected, origin: MessageOrigin) -> StockAnswer:
    shortages = [
        StockShortage(failure.product_id, failure.code, failure.requested, failure.available)
        for failure in value.failures
    ]
    return StockRejected(value.order_id, shortages, origin)


def _released(value: InventoryReleased, origin: MessageOrigin) -> StockAnswer:
    return StockReleased(value.order_id, _quantities(value.items), origin)


def _quantities(lines: Sequence[StockLine]) -> dict[str, int]:
    """The pieces by product; a product that occurs twice counts with the sum."""
    quantities: dict[str, int] = {}
    for line in lines:
        quantities[line.product_id] = quantities.get(line.product_id, 0) + line.quantity
    return quantities


# How the value of each topic is read, and what it says to the orders.
_TOPICS: Mapping[str, tuple[ValueReader[Any], Callable[[Any, MessageOrigin], StockAnswer]]] = {
    TOPIC_OF[InventoryReserved].name: (ValueReader(InventoryReserved), _reserved),
    TOPIC_OF[InventoryRejected].name: (ValueReader(InventoryRejected), _rejected),
    TOPIC_OF[InventoryReleased].name: (ValueReader(InventoryReleased), _released),
}


def decode(received: ReceivedMessage) -> StockAnswer:
    """The answer in a message. Raises InvalidMessage."""
    reader, answer_of = _TOPICS[received.topic]
    origin = MessageOrigin(received.id, received.cause, received.trace_parent)
    return answer_of(reader.read(received.value), origin)


def handle(batch: Sequence[DecodedMessage[StockAnswer]]) -> Iterable[OutgoingMessage]:
    """Record a batch of answers; nothing is sent in return. Raises DependencyUnavailable."""
    close_old_connections()
    try:
        record_answers(answers=[decoded.value for decoded in batch], origin_actor=ACTOR)
    except (OperationalError, InterfaceError) as error:
        raise DependencyUnavailable("PostgreSQL", str(error)) from error
    return ()


def warm_up() -> None:
    """Record the answer about an order that does not exist, which changes nothing. Raises database errors."""
    record_answers(answers=[StockReserved(str(uuid4()), {})], origin_actor=ACTOR)


ORDER_CONSUMER = ConsumerDefinition(
    group=ORDER.group, topics=ORDER.reads, decode=decode, handle=handle, warm_up=warm_up
)
