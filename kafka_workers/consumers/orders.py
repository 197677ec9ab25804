"""Answers of the stock service, recorded on the orders; what follows leaves through the orders' log."""

from collections.abc import Callable, Iterable, Sequence

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

_reserved = ValueReader(InventoryReserved)
_rejected = ValueReader(InventoryRejected)
_released = ValueReader(InventoryReleased)


def decode(received: ReceivedMessage) -> StockAnswer:
    """What a message tells the orders. Raises InvalidMessage."""
    return _READERS[received.topic](received)


def handle(batch: Sequence[DecodedMessage[StockAnswer]]) -> Iterable[OutgoingMessage]:
    """Record a batch of answers; nothing is sent in return. Raises DependencyUnavailable."""
    close_old_connections()
    try:
        record_answers(answers=[decoded.value for decoded in batch], origin_actor=ACTOR)
    except (OperationalError, InterfaceError) as error:
        raise DependencyUnavailable("PostgreSQL", str(error)) from error
    return ()


def _read_reserved(received: ReceivedMessage) -> StockAnswer:
    answer = _reserved.read(received.value)
    return StockReserved(answer.order_id, received.trace_parent)


def _read_rejected(received: ReceivedMessage) -> StockAnswer:
    answer = _rejected.read(received.value)
    shortages = [
        StockShortage(failure.product_id, failure.code, failure.requested, failure.available)
        for failure in answer.failures
    ]
    return StockRejected(answer.order_id, shortages, received.trace_parent)


def _read_released(received: ReceivedMessage) -> StockAnswer:
    answer = _released.read(received.value)
    return StockReleased(answer.order_id, received.trace_parent)


_READERS: dict[str, Callable[[ReceivedMessage], StockAnswer]] = {
    TOPIC_OF[InventoryReserved].name: _read_reserved,
    TOPIC_OF[InventoryRejected].name: _read_rejected,
    TOPIC_OF[InventoryReleased].name: _read_released,
}
ORDER_CONSUMER = ConsumerDefinition(group=ORDER.group, topics=ORDER.reads, decode=decode, handle=handle)
