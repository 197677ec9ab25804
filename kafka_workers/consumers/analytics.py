"""The analytics consumer: keeps the figures from the messages of the orders, and sends nothing over Kafka."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, ProgrammingError, close_old_connections
from django.utils import timezone
from psycopg.errors import UndefinedTable

from foundation.outage import DependencyUnavailable
from kafka_workers.consumers.message_money import require_money
from kafka_workers.consumers.message_values import ValueReader
from kafka_workers.contract.topics import ORDERS, TOPIC_OF
from kafka_workers.runtime.consuming.definition import ConsumerDefinition, DecodedMessage
from kafka_workers.runtime.consuming.offsets import Partition
from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage
from kafka_workers.workers import ANALYTICS
from orders_app.analytics.facts import Figures, VersionedMessage, fold
from orders_app.analytics.progress import store_progress
from orders_app.analytics.writing import write_figures
from orders_app.messages import (
    OrderCancelled,
    OrderCompleted,
    OrderCreated,
    OrderStatusChanged,
    OrderUpdated,
)

_READERS: Mapping[str, ValueReader[Any]] = {
    TOPIC_OF[value].name: ValueReader(value)
    for value in (OrderCreated, OrderStatusChanged, OrderCancelled, OrderCompleted, OrderUpdated)
}
_ORDER_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

log = structlog.get_logger(__name__)


def decode(received: ReceivedMessage) -> VersionedMessage | None:
    """The message with its version; None for one that our orders did not send. Raises InvalidMessage."""
    value = _READERS[received.topic].read(received.value)
    require_money(value)
    if not _is_of_our_orders(received, value.order_id):
        return None
    if isinstance(value, OrderCreated) and not value.user_id.isdecimal():
        raise InvalidMessage(f"no user: {value.user_id[:20]!r} - at `$.userId`")
    return VersionedMessage(received.sequence or 0, value)


def _is_of_our_orders(received: ReceivedMessage, order_id: str) -> bool:
    """Whether an event of the order log caused this message: it has the id that the relay gives it.

    Neighbours may send messages about orders of their own. These are in no log, and count in no figure.
    """
    event_id = f"{order_id}:{received.sequence}"
    is_ours = received.source == ORDERS and received.id == f"{event_id}:{received.topic}"
    return is_ours and _ORDER_ID.fullmatch(order_id) is not None


def handle(batch: Sequence[DecodedMessage[VersionedMessage | None]]) -> Iterable[OutgoingMessage]:
    """Put a batch of messages into the figures; nothing is sent in return. Raises DependencyUnavailable."""
    figures = fold(decoded.value for decoded in batch if decoded.value is not None)
    close_old_connections()
    try:
        write_figures(figures, _handled_until(batch))
    except (OperationalError, InterfaceError) as error:
        raise DependencyUnavailable("PostgreSQL", str(error)) from error
    except ProgrammingError as error:
        if isinstance(error.__cause__, UndefinedTable):
            raise DependencyUnavailable("PostgreSQL", f"run `manage.py migrate`: {error}") from error
        raise
    return ()


def _handled_until(batch: Sequence[DecodedMessage[VersionedMessage | None]]) -> dict[Partition, datetime]:
    """The time of the last event of each partition; a message that is tried again is not the last."""
    return {
        (decoded.received.topic, decoded.received.partition): decoded.received.time
        for decoded in batch
        if decoded.value is not None and decoded.received.time and decoded.received.attempt == 1
    }


def tell_at_end(partitions: Collection[Partition]) -> None:
    """Record that all messages of these partitions are in the figures now."""
    now = timezone.now()
    topics = set(ANALYTICS.reads)
    try:
        store_progress({partition: now for partition in partitions if partition[0] in topics})
    except DatabaseError as error:
        log.warning("how old the figures are could not be recorded", error=str(error))


def warm_up() -> None:
    """Write no figures. Raises database errors."""
    write_figures(Figures({}, {}), {})


ANALYTICS_CONSUMER = ConsumerDefinition(
    group=ANALYTICS.group,
    topics=ANALYTICS.reads,
    decode=decode,
    handle=handle,
    warm_up=warm_up,
    at_end=tell_at_end,
)
