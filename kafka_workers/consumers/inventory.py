"""Requests about stock, settled by the stock service; its answers go back."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from foundation import metrics
from foundation.outage import DependencyUnavailable
from kafka_workers.consumers.message_values import ValueReader
from kafka_workers.contract.topics import PRODUCTS, TOPIC_OF
from kafka_workers.runtime.consuming.definition import ConsumerDefinition, DecodedMessage
from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage, cloud_event
from kafka_workers.workers import INVENTORY
from orders_app.messages import InventoryRelease, InventoryReserve
from products_app.exceptions import CatalogueUnavailable
from products_app.messages import InventoryRejected, InventoryReleased, InventoryReserved
from products_app.services.stock.service import Line, Release, Reserve, StockAnswer, settle

OrderRequest = Reserve | Release

_reserve = ValueReader(InventoryReserve)
_release = ValueReader(InventoryRelease)
_encode = msgspec.json.Encoder().encode


def decode(received: ReceivedMessage) -> OrderRequest:
    """What a message asks of the stock service. Raises InvalidMessage."""
    if received.topic == TOPIC_OF[InventoryRelease].name:
        return Release(_release.read(received.value).order_id)
    wanted = _reserve.read(received.value)
    for index, item in enumerate(wanted.items):
        if not item.price.is_finite() or item.price < 0:
            raise InvalidMessage(f"no price: {item.price} - at `$.items[{index}].price`")
    return Reserve(wanted.order_id, tuple([Line(item.product_id, item.quantity) for item in wanted.items]))


def handle(batch: Sequence[DecodedMessage[OrderRequest]]) -> Iterable[OutgoingMessage]:
    """Settle a batch of requests; the answers, one a request. Raises DependencyUnavailable."""
    try:
        answers = settle([decoded.value for decoded in batch])
    except CatalogueUnavailable as error:
        raise DependencyUnavailable("MongoDB", str(error)) from error
    now = datetime.now(UTC)
    messages = [
        _message(decoded.received, answer, now) for decoded, answer in zip(batch, answers, strict=True)
    ]
    for topic, number in Counter(message.topic for message in messages).items():
        metrics.STOCK_ANSWERS.labels(topic).inc(number)
    return messages


def _message(request: ReceivedMessage, answer: StockAnswer, now: datetime) -> OutgoingMessage:
    assert isinstance(answer, InventoryReserved | InventoryRejected | InventoryReleased)
    topic = TOPIC_OF[type(answer)]
    return cloud_event(
        topic.name,
        answer.order_id,
        _encode(answer),
        id=f"{answer.order_id}:{topic.name}",
        source=PRODUCTS,
        time=now,
        subject=answer.order_id,
        data_schema=topic.schema,
        trace_parent=request.trace_parent,
    )


INVENTORY_CONSUMER = ConsumerDefinition(
    group=INVENTORY.group, topics=INVENTORY.reads, decode=decode, handle=handle
)
