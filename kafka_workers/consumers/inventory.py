"""The inventory consumer: settles the commands about stock, and sends the answers of the stock service."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from foundation import metrics
from foundation.outage import DependencyUnavailable
from kafka_workers.consumers.answer_messages import answer_message
from kafka_workers.consumers.message_values import ValueReader
from kafka_workers.contract.topics import TOPIC_OF
from kafka_workers.runtime.consuming.definition import ConsumerDefinition, DecodedMessage
from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage
from kafka_workers.workers import INVENTORY
from orders_app.messages import InventoryRelease, InventoryReserve
from products_app.exceptions import CatalogueUnavailable
from products_app.messages import InventoryRejected, InventoryReleased, InventoryReserved
from products_app.services.stock.service import Line, Release, Reserve, StockAnswer, settle_counting
from products_app.services.stock.warm_up import warm_up

OrderRequest = Reserve | Release


def _reserve(value: InventoryReserve, received: ReceivedMessage) -> OrderRequest:
    for index, item in enumerate(value.items):
        if not item.price.is_finite() or item.price < 0:
            raise InvalidMessage(f"no price: {item.price} - at `$.items[{index}].price`")
    lines = tuple([Line(item.product_id, item.quantity) for item in value.items])
    return Reserve(value.order_id, lines, received.source != TOPIC_OF[InventoryReserve].source)


def _release(value: InventoryRelease, _: ReceivedMessage) -> OrderRequest:
    return Release(value.order_id)


# How the value of each topic is read, and what it asks of the stock service.
_TOPICS: Mapping[str, tuple[ValueReader[Any], Callable[[Any, ReceivedMessage], OrderRequest]]] = {
    TOPIC_OF[InventoryReserve].name: (ValueReader(InventoryReserve), _reserve),
    TOPIC_OF[InventoryRelease].name: (ValueReader(InventoryRelease), _release),
}


def decode(received: ReceivedMessage) -> OrderRequest:
    """The request in a message. Raises InvalidMessage."""
    reader, request_of = _TOPICS[received.topic]
    return request_of(reader.read(received.value), received)


def handle(batch: Sequence[DecodedMessage[OrderRequest]]) -> Iterable[OutgoingMessage]:
    """Settle a batch of requests; the answers, one a request. Raises DependencyUnavailable."""
    try:
        answers, repeated = settle_counting([decoded.value for decoded in batch])
    except CatalogueUnavailable as error:
        raise DependencyUnavailable("MongoDB", str(error)) from error
    metrics.DUPLICATES_ABSORBED.labels(INVENTORY.group).inc(repeated)
    now = datetime.now(UTC)
    messages = [
        _message(decoded.received, answer, now) for decoded, answer in zip(batch, answers, strict=True)
    ]
    for topic, number in Counter(message.topic for message in messages).items():
        metrics.STOCK_ANSWERS.labels(topic).inc(number)
    return messages


def _message(request: ReceivedMessage, answer: StockAnswer, now: datetime) -> OutgoingMessage:
    assert isinstance(answer, InventoryReserved | InventoryRejected | InventoryReleased)
    return answer_message(request, answer, now, of=answer.order_id)


INVENTORY_CONSUMER = ConsumerDefinition(
    group=INVENTORY.group, topics=INVENTORY.reads, decode=decode, handle=handle, warm_up=warm_up
)
