"""The messages of the topics from the first one on, for figures that are made anew from them."""

from collections.abc import Iterator
from itertools import chain

from django.db import connection
from msgspec import UNSET

from foundation.slices import slices
from kafka_workers.consumers.analytics import decode
from kafka_workers.runtime.broker.topic_reader import first_offsets, read_topics
from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.messages.message import receive
from kafka_workers.runtime.messages.record import headers_of
from kafka_workers.workers import ANALYTICS
from orders_app.analytics.copies import Copy
from orders_app.analytics.facts import Told, VersionedMessage
from orders_app.analytics.other_senders import believed
from orders_app.messages import OrderStatusChanged

SLICE_MESSAGES = 2000

# The order with the least id was placed first.
_FIRST_IS_MISSING = """
SELECT first.id FROM (SELECT order_id AS id FROM order_history ORDER BY order_id LIMIT 1) AS first
WHERE NOT EXISTS (SELECT FROM analytics_order_{copy} WHERE order_id = first.id AND placed_at IS NOT NULL)
"""


class TopicsIncomplete(Exception):
    """The topics do not have all that the figures are made from."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The topics are incomplete: {reason}. Nothing has changed; "
            "use --from log, which always reaches back."
        )


def topic_slices() -> Iterator[list[VersionedMessage]]:
    """The messages of all topics up to their present ends, some thousands at a time.

    Raises TopicsIncomplete, AccessDenied and BrokerUnavailable.
    """
    _require_first_messages()
    all_messages = chain.from_iterable(map(_messages, ANALYTICS.reads))
    for messages in slices(all_messages, SLICE_MESSAGES):
        yield believed(messages)
    # Retention may have deleted some of them before they were read.
    _require_first_messages()


def require_first_order(copy: Copy) -> None:
    """Raises TopicsIncomplete unless the first order of all is in this copy."""
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_IS_MISSING.format(copy=copy))
        if found := cursor.fetchone():
            raise TopicsIncomplete(f"the first order, {found[0]}, is not in them")


def _require_first_messages() -> None:
    for topic in ANALYTICS.reads:
        offsets = first_offsets(topic, ANALYTICS.group)
        if not offsets:
            raise TopicsIncomplete(f"{topic} does not exist")
        for partition, offset in offsets.items():
            if offset:
                raise TopicsIncomplete(
                    f"{topic}/{partition} begins at offset {offset}: its first messages are deleted"
                )


def _messages(topic: str) -> Iterator[VersionedMessage]:
    """The valid messages of a topic."""
    for message in read_topics([topic], ANALYTICS.group):
        try:
            found = decode(receive(message, headers_of(message), ANALYTICS.group, ANALYTICS.reads))
        except InvalidMessage:  # the consumer has made a dead letter of it
            continue
        if found.is_ours and _is_too_old(found.value):
            raise TopicsIncomplete(
                f"{topic} has messages of a version that did not tell when orders were reserved and paid"
            )
        yield found


def _is_too_old(value: Told) -> bool:
    return isinstance(value, OrderStatusChanged) and value.payment_status is UNSET
