"""The format of a message that is sent and received."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, Message

from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage, cloud_event, receive
from kafka_workers.runtime.messages.record import headers_of

TRACE_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = re.compile("00-[0-9a-f]{32}-[0-9a-f]{16}-00")
Headers = dict[str, str | bytes | None]


def an_event(**changes: object) -> OutgoingMessage:
    attributes: dict[str, object] = {
        "id": "o-1:1:numbers",
        "source": "/tests",
        "time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "subject": "o-1",
        "data_schema": "/schemas/numbers/1",
        "sequence": 1,
        "trace_parent": TRACE_PARENT,
    }
    return cloud_event("numbers", "o-1", b"{}", **(attributes | changes))  # type: ignore[arg-type]


def kafka_message(topic: str, headers: Headers, value: bytes | None = b"{}") -> Message:
    raw = [(name, text.encode() if isinstance(text, str) else text) for name, text in headers.items()]
    return Message(
        topic=topic,
        partition=2,
        offset=7,
        key=b"o-1",
        value=value,
        headers=raw,  # type: ignore[arg-type]
        timestamp=(TIMESTAMP_CREATE_TIME, 1_767_323_045_000),
    )


def read(message: Message) -> ReceivedMessage:
    return receive(message, headers_of(message), "g", ["numbers", "letters"])


def test_an_event_carries_the_headers_of_the_contract() -> None:
    assert an_event().headers == {
        "ce_specversion": "1.0",
        "ce_id": "o-1:1:numbers",
        "ce_type": "numbers",
        "ce_source": "/tests",
        "ce_time": "2026-01-02T03:04:05Z",
        "ce_subject": "o-1",
        "ce_dataschema": "/schemas/numbers/1",
        "content-type": "application/json",
        "ce_sequence": "1",
        "traceparent": TRACE_PARENT,
    }


def test_an_event_without_a_sequence_has_no_such_header() -> None:
    assert "ce_sequence" not in an_event(sequence=None).headers


def test_an_event_that_continues_no_trace_starts_one_which_its_repetition_has_too() -> None:
    first, again, other = (an_event(trace_parent="", id=each) for each in ("a", "a", "b"))
    assert TRACE.fullmatch(str(first.headers["traceparent"]))
    assert first == again
    assert first.headers["traceparent"] != other.headers["traceparent"]


def test_the_id_of_a_schema_is_in_the_header_of_confluents_clients() -> None:
    assert an_event(schema_id=b"\0\0\0\0\7").headers["__value_schema_id"] == b"\0\0\0\0\7"
    assert "__value_schema_id" not in an_event().headers


def test_the_time_of_an_event_is_written_in_utc() -> None:
    east = datetime(2026, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    assert an_event(time=east).headers["ce_time"] == "2026-01-02T03:04:05Z"


def test_a_message_is_received_as_it_was_sent() -> None:
    received = read(kafka_message("numbers", dict(an_event().headers)))
    assert (received.topic, received.partition, received.offset) == ("numbers", 2, 7)
    assert (received.id, received.type, received.source) == ("o-1:1:numbers", "numbers", "/tests")
    assert (received.key, received.subject, received.sequence) == ("o-1", "o-1", 1)
    assert received.time == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (received.trace_parent, received.attempt) == (TRACE_PARENT, 1)


def test_a_message_without_cloud_event_headers_is_identified_by_its_coordinates() -> None:
    received = read(kafka_message("numbers", {"content-type": "text/plain"}))
    assert (received.id, received.type, received.source) == ("numbers/2/7", "numbers", "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ce_type": "others"}, "ce_type is 'others' in topic 'numbers'"),
        ({"ce_specversion": "0.3"}, "0.3"),
        ({"ce_id": ""}, "length >= 1"),
        ({"ce_source": ""}, "length >= 1"),
        ({"ce_time": "yesterday"}, "RFC3339"),
        ({"ce_time": "2026-01-02T03:04:05"}, "timezone"),
        ({"ce_sequence": "first"}, "Expected `int"),
        ({"ce_id": b"\xff"}, "not UTF-8"),
        ({"content-type": b"\xff"}, "not UTF-8"),
        ({"content-type": "application/cloudevents+json"}, "content-type"),
    ],
)
def test_a_damaged_cloud_event_is_invalid_and_says_why(changes: Headers, reason: str) -> None:
    with pytest.raises(InvalidMessage, match=reason):
        read(kafka_message("numbers", dict(an_event().headers) | changes))


@pytest.mark.parametrize("missing", ["ce_id", "ce_source", "ce_specversion", "ce_type"])
def test_a_cloud_event_without_a_required_attribute_is_invalid(missing: str) -> None:
    headers = {name: value for name, value in an_event().headers.items() if name != missing}
    with pytest.raises(InvalidMessage):
        read(kafka_message("numbers", headers))


def test_a_message_without_a_value_is_invalid() -> None:
    with pytest.raises(InvalidMessage, match="no value"):
        read(kafka_message("numbers", {}, value=None))


def test_a_message_from_the_far_future_is_invalid() -> None:
    message = Message(
        topic="numbers", partition=0, offset=1, value=b"1", timestamp=(TIMESTAMP_CREATE_TIME, 2**62)
    )
    with pytest.raises(InvalidMessage, match="is no time"):
        read(message)


@pytest.mark.parametrize("trace_parent", ["", "nonsense", b"\xff\xff", TRACE_PARENT.upper()])
def test_a_message_with_an_invalid_trace_is_accepted_and_starts_one(trace_parent: str | bytes) -> None:
    started = read(kafka_message("numbers", {"traceparent": trace_parent})).trace_parent
    assert TRACE.fullmatch(started)
    assert started == read(kafka_message("numbers", {})).trace_parent


@pytest.mark.parametrize("headers", [{"other": b"\xff\xfe"}, {"other": None}])
def test_unknown_headers_may_have_any_value(headers: Headers) -> None:
    assert read(kafka_message("numbers", headers)).id == "numbers/2/7"


CLAIM: Headers = {
    "failure_group": "g",
    "failure_topic": "letters",
    "failure_partition": "0",
    "failure_offset": "1",
    "failure_attempts": "2",
    "failure_kind": "handler",
    "failure_exception": "E",
    "failure_reason": "r",
    "failure_first_at": "2026-01-01T00:00:00Z",
    "failure_last_at": "2026-01-01T00:00:00Z",
}


def test_a_message_that_is_not_a_retry_cannot_claim_to_come_from_another_topic() -> None:
    assert read(kafka_message("numbers", CLAIM)).topic == "numbers"
    assert read(kafka_message("numbers", CLAIM)).attempt == 1
    assert read(kafka_message("letters", CLAIM)).attempt == 1
    retried = read(kafka_message("g.retry.2", CLAIM))
    assert (retried.topic, retried.partition, retried.offset, retried.attempt) == ("letters", 0, 1, 3)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"failure_attempts": "-10"}, "failure_ headers cannot be read.*attempts"),
        ({"failure_attempts": "9" * 30}, "failure_ headers cannot be read"),
        ({"failure_attempts": "0"}, "failure_attempts is 0 in retry topic 2"),
        ({"failure_attempts": "1"}, "failure_attempts is 1 in retry topic 2"),
        ({"failure_attempts": "many"}, "failure_ headers cannot be read"),
        ({"failure_partition": "-1"}, "failure_ headers cannot be read.*partition"),
        ({"failure_offset": "-1"}, "failure_ headers cannot be read.*offset"),
        ({"failure_offset": str(2**63)}, "failure_ headers cannot be read.*offset"),
        ({"failure_offset": "far"}, "failure_ headers cannot be read"),
        ({"failure_first_at": "once"}, "failure_ headers cannot be read"),
        ({"failure_kind": "whim"}, "failure_ headers cannot be read"),
        ({"failure_reason": b"\xff"}, "failure_ headers cannot be read"),
        ({"failure_topic": "order.completed"}, "failure_topic is 'order.completed', no topic that g reads"),
        ({"failure_topic": "other.retry.1"}, "failure_topic is 'other.retry.1'"),
        ({"failure_topic": "g.dlq.settled"}, "failure_topic is 'g.dlq.settled'"),
        ({"failure_group": "other"}, "failure_group is 'other' in a topic of g"),
        ({"failure_group": None}, "failure_group is '' in a topic of g"),
    ],
)
def test_a_retry_whose_headers_its_group_did_not_write_is_invalid_and_says_why(
    changes: Headers, reason: str
) -> None:
    with pytest.raises(InvalidMessage, match=reason):
        read(kafka_message("g.retry.2", CLAIM | changes))


def test_a_message_without_headers_in_a_retry_topic_is_invalid() -> None:
    with pytest.raises(InvalidMessage, match="no header says which group"):
        read(kafka_message("g.retry.2", {}))
