"""Messages of recorded traces are spans, with what has sent them and what they cause; on the real broker."""

from collections.abc import Sequence

from opentelemetry.trace import StatusCode

from devtools.driver.shop import eventually
from kafka_workers.runtime.consuming.definition import DecodedMessage
from kafka_workers.runtime.messages.message import OutgoingMessage
from tests.kafka_workers.runtime.workbench import Bench
from tests.recorded_spans import Recorded, as_trace_parent, ids, linked, recorded

__all__ = ["recorded"]

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SAMPLED = f"00-{TRACE_ID}-b7ad6b7169203331-01"


def test_a_message_is_a_span_from_what_has_sent_it_to_its_answer(bench: Bench, recorded: Recorded) -> None:
    def answer(batch: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
        return [
            OutgoingMessage(
                bench.answer_topic, str(each.value), b"1", {"traceparent": each.received.trace_parent}
            )
            for each in batch
        ]

    bench.send(1, headers={"traceparent": SAMPLED})
    bench.send(2, headers={"traceparent": SAMPLED[:-1] + "0"})
    bench.start(answer)
    bench.wait_until_committed()
    processed, sent = recorded[f"process {bench.topic}"], recorded[f"send {bench.answer_topic}"]
    assert processed.parent
    assert (ids(processed)[0], f"{processed.parent.span_id:016x}") == (TRACE_ID, SAMPLED[36:52])
    assert sent.parent
    assert (ids(sent)[0], f"{sent.parent.span_id:016x}") == ids(processed)
    assert dict(processed.attributes or {})["order.id"] == "1"
    [batch] = [each for each in recorded.spans if as_trace_parent(processed) in linked(each)]
    assert batch.name == f"handle {bench.group}"
    assert as_trace_parent(batch) in linked(processed)
    answers = bench.kafka_client.read([bench.answer_topic], lambda records: len(records) >= 2)
    trace_parents = {answer.key: answer.headers["traceparent"] for answer in answers}
    assert trace_parents == {"1": as_trace_parent(sent), "2": SAMPLED[:-1] + "0"}


def test_each_try_of_a_message_that_fails_is_a_failed_span_of_its_trace(
    bench: Bench, recorded: Recorded
) -> None:
    def fail(_batch: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
        raise ArithmeticError("alice@example.com")

    bench.send(1, headers={"traceparent": SAMPLED})
    bench.start(fail)
    bench.dead_letters(1)
    topics = [bench.topic, *(f"{bench.group}.retry.{number}" for number in (1, 2, 3))]
    eventually(lambda: len(recorded.named("process ")) == len(topics), "a span for each try")
    tries = [recorded[f"process {topic}"] for topic in topics]
    assert {ids(each)[0] for each in tries} == {TRACE_ID}
    assert {(each.status.status_code, each.status.description) for each in tries} == {
        (StatusCode.ERROR, "ArithmeticError")
    }


def test_a_message_that_is_handled_by_itself_is_the_span_of_what_is_done_for_it(
    bench: Bench, recorded: Recorded
) -> None:
    seen: list[str] = []

    def handle(decoded: DecodedMessage[int], _upcoming: DecodedMessage[int] | None) -> None:
        seen.append(decoded.received.trace_parent)

    bench.send(1, headers={"traceparent": SAMPLED})
    bench.start_one_by_one(handle)
    bench.wait_until_committed()
    assert seen == [as_trace_parent(recorded[f"process {bench.topic}"])]
