"""The Kafka messages that the events of the order log cause."""

import jsonschema
import msgspec
import pytest

from kafka_workers.contract.schemas import value_schema
from kafka_workers.contract.topics import BUSINESS_TOPICS
from kafka_workers.relay.order_messages import UnroutableEvent, messages_of
from kafka_workers.runtime.messages.message import OutgoingMessage
from orders_app.event_data import EventType
from orders_app.event_log import NewEvent
from tests.kafka_workers.relay import log_entries
from tests.orders_app.recorded_effects import RECORDED, logged_event

ORDER = log_entries.new_order_id()
ITEM = {"productId": log_entries.PRODUCT, "productName": "Lantern", "quantity": 2, "price": "10.50"}
RETURNED = {name: value for name, value in ITEM.items() if name != "price"}
COMMON = {"orderId": str(ORDER), "orderNumber": log_entries.NUMBER}
NOW = "2026-01-02T03:04:05Z"
WITH_MESSAGES = [
    log_entries.created(ORDER),
    log_entries.changed(ORDER, 2),
    log_entries.cancelled(ORDER, 2),
    log_entries.completed(ORDER, 2),
    log_entries.release_requested(ORDER, 2),
    log_entries.reserve_requested(ORDER, 2),
    log_entries.payment_requested(ORDER, 2),
    log_entries.refund_requested(ORDER, 2),
]


def messages(event: NewEvent) -> list[OutgoingMessage]:
    return messages_of(log_entries.as_logged(event))


def values(event: NewEvent) -> dict[str, object]:
    return {message.topic: msgspec.json.decode(message.value or b"") for message in messages(event)}


def test_a_placed_order_causes_a_fact_and_a_reserve_request() -> None:
    assert values(log_entries.created(ORDER)) == {
        "order.created": COMMON
        | {"userId": "7", "totalAmount": "21.00", "currency": "USD", "items": [ITEM]}
        | {"paymentMethod": 6, "createdAt": NOW},
        "inventory.reserve": COMMON | {"items": [ITEM], "timestamp": NOW},
    }


def test_a_status_change_has_labels_and_no_missing_reason() -> None:
    assert values(log_entries.changed(ORDER, 2)) == {
        "order.status.changed": COMMON
        | {"userId": "7", "oldStatus": 1, "newStatus": 2, "timestamp": NOW}
        | {"oldStatusLabel": "Pending", "newStatusLabel": "Processing"}
    }


def test_a_cancelled_order_releases_its_stock() -> None:
    reason = {"reason": "changed my mind"}
    assert values(log_entries.cancelled(ORDER, 3)) == {
        "order.cancelled": COMMON
        | reason
        | {"userId": "7", "totalAmount": "21.00", "items": [ITEM], "cancelledAt": NOW},
        "inventory.release": COMMON | reason | {"items": [RETURNED], "timestamp": NOW},
    }


def test_an_order_cancelled_for_a_shortage_releases_nothing() -> None:
    assert values(log_entries.cancelled(ORDER, 3, release_stock=False)).keys() == {"order.cancelled"}


def test_a_delivered_order_is_completed() -> None:
    assert values(log_entries.completed(ORDER, 5)) == {
        "order.completed": COMMON
        | {"userId": "7", "totalAmount": "21.00", "items": [ITEM], "deliveredAt": NOW}
    }


def test_stock_reserved_too_late_is_released_again() -> None:
    assert values(log_entries.release_requested(ORDER, 4)) == {
        "inventory.release": COMMON | {"reason": "cancelled meanwhile", "items": [RETURNED], "timestamp": NOW}
    }


def test_stock_can_be_requested_once_more() -> None:
    assert values(log_entries.reserve_requested(ORDER, 4)) == {
        "inventory.reserve": COMMON | {"items": [ITEM], "timestamp": NOW}
    }


@pytest.mark.parametrize(
    "event_type",
    [
        EventType.UPDATED,
        EventType.CONFIRMED,
        EventType.PAYMENT,
        EventType.STOCK_RELEASED,
        EventType.DELETED,
    ],
)
def test_events_without_an_effect_on_kafka_cause_no_message(event_type: EventType) -> None:
    assert messages(log_entries.plainly_changed(ORDER, 2, event_type)) == []


def test_every_message_is_a_cloud_event_that_names_order_version_schema_and_trace() -> None:
    created, reserve = messages(log_entries.created(ORDER))
    assert created.key == reserve.key == str(ORDER)
    assert created.headers == {
        "ce_specversion": "1.0",
        "ce_id": f"{ORDER}:1:order.created",
        "ce_type": "order.created",
        "ce_source": "/stockbridge/orders",
        "ce_time": NOW,
        "ce_subject": str(ORDER),
        "ce_dataschema": "/api/schemas/order.created.v1.json",
        "content-type": "application/json",
        "ce_sequence": "1",
        "traceparent": log_entries.TRACE,
    }
    assert reserve.headers["ce_id"] == f"{ORDER}:1:inventory.reserve"


@pytest.mark.parametrize("event", WITH_MESSAGES, ids=lambda event: str(event.type))
def test_every_message_of_the_orders_tells_the_version_of_the_order(event: NewEvent) -> None:
    assert {message.headers.get("ce_sequence") for message in messages(event)} == {str(event.version)}


@pytest.mark.parametrize("event", WITH_MESSAGES, ids=lambda event: str(event.type))
def test_every_value_fits_its_published_schema(event: NewEvent) -> None:
    schemas = {topic.name: value_schema(topic) for topic in BUSINESS_TOPICS}
    for message in messages(event):
        jsonschema.validate(msgspec.json.decode(message.value or b""), schemas[message.topic])


@pytest.mark.parametrize("name", RECORDED)
def test_the_messages_of_an_event_equal_the_recorded_ones_byte_for_byte(name: str) -> None:
    event = logged_event(RECORDED[name])
    assert [
        {"topic": sent.topic, "key": sent.key, "headers": sent.headers, "value": (sent.value or b"").decode()}
        for sent in messages_of(event)
    ] == RECORDED[name]["messages"]


def test_an_event_with_an_amount_that_its_currency_does_not_have_is_refused() -> None:
    event = log_entries.as_logged(log_entries.payment_requested(ORDER, 2))
    event = msgspec.structs.replace(event, data=event.data.replace(b"21.00", b"21.001"))
    with pytest.raises(UnroutableEvent, match="more decimals than USD"):
        messages_of(event)


def test_an_event_with_data_of_another_type_is_refused_by_name() -> None:
    event = log_entries.as_logged(log_entries.changed(ORDER, 2))
    event = msgspec.structs.replace(event, data=b'{"orderNumber": 5}')
    with pytest.raises(UnroutableEvent, match=f"{ORDER}:2.*orderNumber"):
        messages_of(event)


def test_an_event_of_a_newer_version_is_unroutable() -> None:
    event = log_entries.as_logged(log_entries.created(ORDER))
    newer = msgspec.structs.replace(event, type="order.gift_wrapped")
    with pytest.raises(UnroutableEvent, match="gift_wrapped"):
        messages_of(newer)
