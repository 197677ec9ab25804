"""The order consumer: records the answers of the stock and payment services on orders, and sends nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.db import InterfaceError, OperationalError, close_old_connections

from foundation.metrics import DUPLICATES_ABSORBED
from foundation.outage import DependencyUnavailable
from foundation.printable import printable, shortened
from kafka_workers.consumers.message_values import ValueReader
from kafka_workers.contract.topics import TOPIC_OF
from kafka_workers.runtime.consuming.definition import ConsumerDefinition, DecodedMessage
from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage
from kafka_workers.workers import ORDER
from orders_app.document import PaymentFailure
from orders_app.payments.messages import PaymentFailed, PaymentRefunded, PaymentSucceeded
from orders_app.services.payment_answers import MoneyReturned, PaymentAnswer, PaymentDeclined, PaymentTaken
from orders_app.services.record_payment_answers import record_payment_answers
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
PAYMENTS_ACTOR = "service:payments"
MAX_CODE = 40
MAX_DETAIL = 500

Answer = StockAnswer | PaymentAnswer


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


def _succeeded(value: PaymentSucceeded, origin: MessageOrigin) -> PaymentAnswer:
    return PaymentTaken(
        order_id=value.order_id,
        attempt=value.attempt,
        amount=value.amount,
        currency=value.currency,
        payment_id=value.payment_id,
        origin=origin,
    )


def _failed(value: PaymentFailed, origin: MessageOrigin) -> PaymentAnswer:
    failure = PaymentFailure(printable(value.code)[:MAX_CODE], shortened(printable(value.detail), MAX_DETAIL))
    return PaymentDeclined(
        order_id=value.order_id,
        attempt=value.attempt,
        amount=value.amount,
        currency=value.currency,
        payment_id=value.payment_id or "",
        failure=failure,
        origin=origin,
    )


def _refunded(value: PaymentRefunded, origin: MessageOrigin) -> PaymentAnswer:
    return MoneyReturned(
        order_id=value.order_id,
        refund=value.refund,
        amount=value.amount,
        currency=value.currency,
        payment_id=value.payment_id,
        refund_id=value.refund_id,
        origin=origin,
    )


# How the value of each topic is read, and what it says to the orders.
_TOPICS: Mapping[str, tuple[ValueReader[Any], Callable[[Any, MessageOrigin], Answer]]] = {
    TOPIC_OF[InventoryReserved].name: (ValueReader(InventoryReserved), _reserved),
    TOPIC_OF[InventoryRejected].name: (ValueReader(InventoryRejected), _rejected),
    TOPIC_OF[InventoryReleased].name: (ValueReader(InventoryReleased), _released),
    TOPIC_OF[PaymentSucceeded].name: (ValueReader(PaymentSucceeded), _succeeded),
    TOPIC_OF[PaymentFailed].name: (ValueReader(PaymentFailed), _failed),
    TOPIC_OF[PaymentRefunded].name: (ValueReader(PaymentRefunded), _refunded),
}


def decode(received: ReceivedMessage) -> Answer:
    """The answer in a message. Raises InvalidMessage."""
    reader, answer_of = _TOPICS[received.topic]
    origin = MessageOrigin(received.id, received.cause, received.trace_parent)
    return answer_of(reader.read(received.value), origin)


def handle(batch: Sequence[DecodedMessage[Answer]]) -> Iterable[OutgoingMessage]:
    """Record a batch of answers; nothing is sent in return. Raises DependencyUnavailable."""
    answers = [decoded.value for decoded in batch]
    of_payments = [answer for answer in answers if isinstance(answer, PaymentAnswer)]
    of_stock = [answer for answer in answers if not isinstance(answer, PaymentAnswer)]
    close_old_connections()
    try:
        repeated = record_answers(answers=of_stock, origin_actor=ACTOR)
        repeated += record_payment_answers(answers=of_payments, origin_actor=PAYMENTS_ACTOR)
    except (OperationalError, InterfaceError) as error:
        raise DependencyUnavailable("PostgreSQL", str(error)) from error
    DUPLICATES_ABSORBED.labels(ORDER.group).inc(repeated)
    return ()


def warm_up() -> None:
    """Record the answer about an order that does not exist, which changes nothing. Raises database errors."""
    record_answers(answers=[StockReserved(str(uuid4()), {})], origin_actor=ACTOR)


ORDER_CONSUMER = ConsumerDefinition(
    group=ORDER.group, topics=ORDER.reads, decode=decode, handle=handle, warm_up=warm_up
)
