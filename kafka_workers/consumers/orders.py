"""The order consumer: records the answers of the stock service on the orders, and sends nothing itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import InterfaceError, OperationalError, close_old_connections

from foundation.outage import DependencyUnavailable
from kafka_workers.consumers.message_values import ValueReader
from kafka_workers.contract.topics import TOPIC_OF
from kafka_workers.runtime.consuming.definition import ConsumerDefinition, DecodedMessage
from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage
from kafka_workers.workers import ORDER
from orders_app.services.record_stock_answers import (
    StockAnswer,
    StockRejected,
    StockReleased,
    StockReserved,
    StockShortage,
    record_answers,
)
from products_app.messages import InventoryRejected, InventoryReleased, InventoryReserved

ACTOR = "service:products"


def _reserved(value: InventoryReserved, trace_parent: str) -> StockAnswer:
    return StockReserved(value.order_id, trace_parent)


def _rejected(value: InventoryRejected, trace_parent: str) -> StockAnswer:
    shortages = [
        StockShortage(failure.product_id, failure.code, failure.requested, failure.available)
        for failure in value.failures
    ]
    return StockRejected(value.order_id, shortages, trace_parent)


def _released(value: InventoryReleased, trace_parent: str) -> StockAnswer:
    return StockReleased(value.order_id, trace_parent)


# How the value of each topic is read, and what it says to the orders.
_TOPICS: Mapping[str, tuple[ValueReader[Any], Callable[[Any, str], StockAnswer]]] = {
    TOPIC_OF[InventoryReserved].name: (ValueReader(InventoryReserved), _reserved),
    TOPIC_OF[InventoryRejected].name: (ValueReader(InventoryRejected), _rejected),
    TOPIC_OF[InventoryReleased].name: (ValueReader(InventoryReleased), _released),
}


def decode(received: ReceivedMessage) -> StockAnswer:
    """The answer in a message. Raises InvalidMessage."""
    reader, answer_of = _TOPICS[received.topic]
    return answer_of(reader.read(received.value), received.trace_parent)


def handle(batch: Sequence[DecodedMessage[StockAnswer]]) -> Iterable[OutgoingMessage]:
    """Record a batch of answers; nothing is sent in return. Raises DependencyUnavailable."""
    close_old_connections()
    try:
        record_answers(answers=[decoded.value for decoded in batch], origin_actor=ACTOR)
    except (OperationalError, InterfaceError) as error:
        raise DependencyUnavailable("PostgreSQL", str(error)) from error
    return ()


ORDER_CONSUMER = ConsumerDefinition(group=ORDER.group, topics=ORDER.reads, decode=decode, handle=handle)
