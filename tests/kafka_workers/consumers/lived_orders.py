"""Orders to which many things have happened, and the messages that tell it."""

import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.db import connection

from devtools.faults.figures import DIFFERING_FIGURES
from foundation.refusals import Refusal
from kafka_workers.consumers.analytics import decode
from kafka_workers.relay.order_messages import messages_of
from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage
from kafka_workers.workers import ANALYTICS
from orders_app import event_log
from orders_app.analytics.facts import VersionedMessage
from orders_app.document import OrderDocument
from orders_app.state_machine import OrderStatus, PaymentMethod
from tests.kafka_workers.consumers.orders_of_others import hear
from tests.orders_app.ordering import OrderPlacer, move
from tests.orders_app.paying import BAD, GOOD, Gateway
from tests.orders_app.services.test_money_laws import ACTIONS

_REFUNDED = ("reserved", "gateway works", "tell all", "refund a part", "gateway works", "tell all")
_FATES: Sequence[tuple[str, ...]] = (
    ("reserved",),
    ("rejected",),
    ("reserved", "gateway works", "tell all", "ship", "deliver"),
    _REFUNDED,
    (*_REFUNDED, "last refund fails"),
    ("reserved", "gateway works", "tell all", "cancel", "gateway works", "tell all"),
    ("reserved", "gateway works", "cancel", "tell all", "gateway works", "tell all"),
    ("mark paid", "reserved"),
    ("ship", "reserved"),
    ("cancel", "reserved"),
)
"""What happens to the first orders; to the others, anything in any order."""
_FIGURES = """
SELECT to_jsonb(known) - 'reserved_version' - 'paid_version' FROM analytics_order AS known ORDER BY order_id
"""
_LINES = "SELECT to_jsonb(known) FROM analytics_line AS known ORDER BY order_id, product_id"


def live(placer: OrderPlacer, count: int, seed: int = 7) -> list[OrderDocument]:
    """So many orders, each of which has lived through something."""
    rng = random.Random(seed)
    return [_live_one(placer, rng, _fate(index, rng)) for index in range(count)]


def _fate(index: int, rng: random.Random) -> Sequence[str]:
    if index < len(_FATES):
        return _FATES[index]
    return rng.choices([*sorted(ACTIONS), "deliver"], k=rng.randint(1, 10))


def _live_one(placer: OrderPlacer, rng: random.Random, fate: Sequence[str]) -> OrderDocument:
    is_prepaid = "gateway works" in fate or rng.random() < 0.5
    order = placer.place_items(
        (placer.catalogue.plant(category=rng.choice(["Light", ""])), rng.randint(1, 3)),
        (placer.catalogue.add("Rope", "3.33"), 2),
        payment_method=PaymentMethod.CREDIT_CARD if is_prepaid else PaymentMethod.CASH_ON_DELIVERY,
        payment_token=rng.choice([GOOD, GOOD, BAD]) if is_prepaid else "",
    ).order
    gateway = Gateway()
    for name in fate:
        with suppress(Refusal):
            if name == "deliver":
                move(order, OrderStatus.DELIVERED)
            else:
                ACTIONS[name](order, gateway)
    return order


def messages_about(orders: Sequence[OrderDocument]) -> list[OutgoingMessage]:
    """What the relay sends about these orders to the topics of analytics."""
    events = event_log.histories([order.id for order in orders])
    messages = [message for event in events for message in messages_of(event)]
    return [message for message in messages if message.topic in ANALYTICS.reads]


def received(message: OutgoingMessage, **changes: Any) -> ReceivedMessage:
    """The message as the consumer receives it; `changes` are other attributes."""
    headers = {name: str(value) for name, value in message.headers.items()}
    attributes: dict[str, Any] = {
        "topic": message.topic,
        "partition": 0,
        "offset": 0,
        "key": str(message.key),
        "value": message.value,
        "id": headers["ce_id"],
        "type": headers["ce_type"],
        "source": headers["ce_source"],
        "subject": headers["ce_subject"],
        "time": None,
        "sequence": int(headers["ce_sequence"]),
        "cause": "",
        "trace_parent": "",
        "attempt": 1,
    }
    return ReceivedMessage(**attributes | changes)


def tell(*messages: OutgoingMessage) -> None:
    """Has the consumer handle these messages as one batch."""
    hear(*map(received, messages))


def versioned(messages: Sequence[OutgoingMessage]) -> list[VersionedMessage]:
    return [decode(received(message)) for message in messages]


def figures() -> list[Any]:
    """All that the read models say."""
    return [*_rows(_FIGURES), *_rows(_LINES)]


def differing_figures() -> list[Any]:
    """The orders of which analytics says something else than their rows and events."""
    return _rows(DIFFERING_FIGURES, "%")


def _rows(sql: str, *parameters: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
