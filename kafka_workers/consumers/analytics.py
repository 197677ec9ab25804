"""The analytics consumer: keeps the figures from the messages of the orders, and sends nothing over Kafka."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, ProgrammingError, close_old_connections
from django.utils import timezone
from psycopg.errors import UndefinedTable

from foundation.lasting_trouble import LastingTrouble
from foundation.outage import DependencyUnavailable
from foundation.pacing import Pacing
from kafka_workers.consumers.message_money import require_money
from kafka_workers.consumers.message_values import ValueReader
from kafka_workers.contract.topics import ORDERS, TOPIC_OF
from kafka_workers.runtime.consuming.definition import ConsumerDefinition, DecodedMessage
from kafka_workers.runtime.consuming.offsets import Partition
from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage
from kafka_workers.workers import ANALYTICS
from orders_app.analytics.facts import Figures, VersionedMessage, fold, user_of
from orders_app.analytics.other_senders import believed
from orders_app.analytics.progress import store_progress
from orders_app.analytics.writing import write_figures
from orders_app.messages import (
    OrderCancelled,
    OrderCompleted,
    OrderCreated,
    OrderStatusChanged,
    OrderUpdated,
)
from orders_app.services.order_ids import parse_order_id

_TIMES: Mapping[type[Any], str] = {
    OrderCreated: "created_at",
    OrderStatusChanged: "timestamp",
    OrderCancelled: "cancelled_at",
    OrderCompleted: "delivered_at",
    OrderUpdated: "timestamp",
}
_READERS: Mapping[str, ValueReader[Any]] = {TOPIC_OF[kind].name: ValueReader(kind) for kind in _TIMES}
_NUL = rb"\u0000"
LAST_VERSION = 2**31 - 1

_unrecorded = LastingTrouble(
    structlog.get_logger(__name__),
    begins="how old the figures are could not be recorded",
    ends="how old the figures are is recorded again",
)


def decode(received: ReceivedMessage) -> VersionedMessage:
    """The message with its version. Raises InvalidMessage.

    A message of another sender without `ce_sequence` is of version 1, as is `order.created`. Among messages
    of one version the status that is furthest, the earliest time and the greatest amount decide: statuses
    only go forward, so their order is that of the times, and clocks and the order of arrival do not matter.
    """
    value = _READERS[received.topic].read(received.value)
    require_money(value)
    version = 1 if received.sequence is None else received.sequence
    if not 0 <= version <= LAST_VERSION:
        raise InvalidMessage(f"no version of an order: ce_sequence is {version}")
    if not _is_of_our_orders(received, value.order_id):
        return VersionedMessage(version, _of_another_sender(value), is_ours=False)
    if isinstance(value, OrderCreated) and user_of(value.user_id) is None:
        raise InvalidMessage(f"no user: {value.user_id[:20]!r} - at `$.userId`")
    return VersionedMessage(version, value)


def _is_of_our_orders(received: ReceivedMessage, order_id: str) -> bool:
    """Whether an event of the order log caused this message: it has the id that the relay gives it."""
    event_id = f"{order_id}:{received.sequence}"
    is_ours = received.source == ORDERS and received.id == f"{event_id}:{received.topic}"
    return is_ours and parse_order_id(order_id) is not None


def _of_another_sender(value: Any) -> Any:
    """The value as PostgreSQL can keep it; a time without an offset is in UTC. Raises InvalidMessage."""
    if _NUL in msgspec.json.encode(value):
        raise InvalidMessage("a text has the character NUL")
    field = _TIMES[type(value)]
    time = getattr(value, field)
    return value if time.tzinfo else msgspec.structs.replace(value, **{field: time.replace(tzinfo=UTC)})


def handle(batch: Sequence[DecodedMessage[VersionedMessage]]) -> Iterable[OutgoingMessage]:
    """Put a batch of messages into the figures; nothing is sent in return. Raises DependencyUnavailable."""
    close_old_connections()
    try:
        messages = believed([decoded.value for decoded in batch])
        write_figures(fold(messages), _handled_until(batch))
    except (OperationalError, InterfaceError) as error:
        raise DependencyUnavailable("PostgreSQL", str(error)) from error
    except ProgrammingError as error:
        if isinstance(error.__cause__, UndefinedTable):
            raise DependencyUnavailable("PostgreSQL", f"run `manage.py migrate`: {error}") from error
        raise
    return ()


def _handled_until(batch: Sequence[DecodedMessage[VersionedMessage]]) -> dict[Partition, datetime]:
    """The time of the last event of each partition that our relay has sent.

    A message that is tried again is not the last.
    """
    return {
        (decoded.received.topic, decoded.received.partition): decoded.received.time
        for decoded in batch
        if decoded.value.is_ours and decoded.received.time and decoded.received.attempt == 1
    }


def tell_at_end(partitions: Collection[Partition]) -> None:
    """Record that all messages of these partitions are in the figures now."""
    now = timezone.now()
    topics = set(ANALYTICS.reads)
    try:
        store_progress({partition: now for partition in partitions if partition[0] in topics})
    except DatabaseError as error:
        _unrecorded.meet(error=str(error))
    else:
        _unrecorded.end()


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
    # Nobody waits for one order's figures, and each batch costs a commit and CPU that orders would have.
    pacing=Pacing(seconds_per_item=0.1, max_seconds=0.5),
)
