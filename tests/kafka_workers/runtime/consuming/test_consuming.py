"""The consumer loop with valid, invalid and failing messages, on the real broker."""

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import count

import pytest
from prometheus_client import REGISTRY
from pytest_django import Settings

from devtools.driver.shop import eventually
from kafka_workers.runtime.consuming.client_report import ClientReport
from kafka_workers.runtime.consuming.definition import DecodedMessage
from kafka_workers.runtime.messages.message import OutgoingMessage
from tests.kafka_workers.runtime.workbench import Bench, Worker


class Panic(BaseException):
    """As extensions in Rust raise it."""


class Poison:
    """A handler that fails for each batch with one of these numbers; counts how often it got each."""

    def __init__(self, bench: Bench, *numbers: int, raises: type[BaseException] = ArithmeticError) -> None:
        self.bench = bench
        self.raises = raises
        self.numbers = set(numbers)
        self.failed: list[DecodedMessage[int]] = []

    def handle(self, batch: Sequence[DecodedMessage[int]]) -> Iterable[OutgoingMessage]:
        culprits = [decoded for decoded in batch if decoded.value in self.numbers]
        if culprits:
            self.failed += culprits if len(batch) == 1 else []
            raise self.raises(f"{culprits[0].value} cannot be handled")
        return self.bench.handle(batch)


def test_messages_sent_before_a_groups_first_start_are_handled(bench: Bench) -> None:
    bench.send(1, 2, 3)
    bench.start()
    bench.wait_until_handled(1, 2, 3)
    bench.wait_until_committed()


def test_answers_are_delivered_before_the_offsets_are_committed(bench: Bench) -> None:
    def answer(batch: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
        return [OutgoingMessage(bench.answer_topic, str(decoded.value), b"1", {}) for decoded in batch]

    bench.send(*range(20))
    bench.start(answer)
    bench.wait_until_committed()
    answers = bench.kafka_client.read([bench.answer_topic], lambda records: len(records) >= 20)
    assert sorted(int(record.key) for record in answers) == list(range(20))


def test_all_messages_that_have_arrived_are_one_batch_and_a_single_message_does_not_wait(
    bench: Bench,
) -> None:
    bench.send(*range(50))
    bench.start()
    bench.wait_until_handled(*range(50))
    assert max(bench.batches) > 1
    bench.send(100)
    bench.wait_until_handled(100)
    assert bench.batches[-1] == 1


def test_the_metrics_tell_which_partitions_a_consumer_has_and_what_its_client_reports(bench: Bench) -> None:
    def shown(name: str) -> float:
        return REGISTRY.get_sample_value(f"stockbridge_{name}", {"group": bench.group}) or 0

    bench.send(1)
    bench.start()
    bench.wait_until_handled(1)
    assert shown("consumer_assigned_partitions") > 0
    assert shown("consumer_rebalances_total") > 0
    errors = shown("kafka_request_errors_total")
    ClientReport(bench.group).take('{"brokers": {"a": {"txerrs": 2, "req_timeouts": 1}}}')
    assert shown("kafka_request_errors_total") == errors + 3


def test_a_batch_never_exceeds_its_size(bench: Bench) -> None:
    bench.send(*range(30))
    bench.start(batch_size=7)
    bench.wait_until_handled(*range(30))
    assert max(bench.batches) <= 7


def test_batches_shrink_while_they_take_longer_than_their_budget(bench: Bench) -> None:
    pause = threading.Event()

    def slowly(batch: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
        pause.wait(0.01 * len(batch))
        return bench.handle(batch)

    bench.send(*range(100))
    bench.start(slowly, batch_size=40, time_budget=0.05)
    bench.wait_until_handled(*range(100))
    assert max(bench.batches) > 10
    assert bench.batches[-1] <= 10


def test_an_invalid_message_becomes_a_dead_letter_without_retries_and_later_messages_are_handled(
    bench: Bench,
) -> None:
    bench.send(1, b"{broken", -5, b'"2"', b"1.5", 2)
    bench.start()
    bench.wait_until_handled(1, -5, 2)
    letters = bench.dead_letters(3)
    assert sorted(letter.value for letter in letters) == [b'"2"', b"1.5", b"{broken"]
    assert all(letter.headers["failure_kind"] == "invalid" for letter in letters)
    assert all(letter.headers["failure_attempts"] == "1" for letter in letters)
    assert all(
        "JSON" in letter.headers["failure_reason"] or "int" in letter.headers["failure_reason"]
        for letter in letters
    )
    bench.wait_until_committed()


def test_a_message_with_invalid_cloud_event_headers_is_a_dead_letter(bench: Bench) -> None:
    bench.send(
        1, headers={"ce_specversion": "1.0", "ce_id": "x", "ce_source": "/s", "ce_type": "another.topic"}
    )
    bench.start()
    [letter] = bench.dead_letters(1)
    assert letter.headers["failure_reason"] == f"ce_type is 'another.topic' in topic '{bench.topic}'"
    assert bench.numbers == []


@pytest.mark.parametrize("raises", [ArithmeticError, Panic])
def test_the_failing_message_of_a_batch_is_found_and_the_others_are_handled_once(
    bench: Bench, raises: type[BaseException]
) -> None:
    poison = Poison(bench, 13, raises=raises)
    bench.send(*range(40))
    bench.start(poison.handle)
    [letter] = bench.dead_letters(1)
    assert sorted(bench.numbers) == [number for number in range(40) if number != 13]
    assert [decoded.received.attempt for decoded in poison.failed] == [1, 2, 3, 4]
    assert letter.key == "13"
    bench.wait_until_committed()


def test_a_dead_letter_has_its_latest_failure_in_its_headers(bench: Bench) -> None:
    poison = Poison(bench, 7)
    bench.send(7, headers={"mine": "stays"})
    bench.start(poison.handle)
    [letter] = bench.dead_letters(1)
    failure = {
        name.removeprefix("failure_"): text
        for name, text in letter.headers.items()
        if name.startswith("failure_")
    }
    origin = poison.failed[0].received
    assert failure["group"] == bench.group
    assert (failure["topic"], failure["partition"], failure["offset"]) == (
        bench.topic,
        str(origin.partition),
        "0",
    )
    assert (failure["kind"], failure["attempts"]) == ("handler", "4")
    assert (failure["exception"], failure["reason"]) == ("ArithmeticError", "7 cannot be handled")
    waited = datetime.fromisoformat(failure["last_at"]) - datetime.fromisoformat(failure["first_at"])
    assert 0.9 <= waited.total_seconds() < 5
    assert letter.headers["mine"] == "stays"


def test_the_text_of_an_exception_is_truncated_in_the_headers(bench: Bench) -> None:
    def fail(_: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
        raise ArithmeticError("long " * 1000)

    bench.send(1)
    bench.start(fail)
    [letter] = bench.dead_letters(1)
    assert len(letter.headers["failure_reason"]) == 1000


def test_a_retried_message_keeps_its_topic_and_its_id(bench: Bench) -> None:
    poison = Poison(bench, 5)
    bench.send(5)
    bench.start(poison.handle)
    eventually(lambda: len(poison.failed) == 2, "the first retry")
    poison.numbers.clear()
    bench.wait_until_handled(5)
    first, retried = poison.failed[0].received, bench.handled[0].received
    assert retried.attempt == 3
    assert retried.topic == bench.topic
    assert retried.id == first.id == f"{bench.topic}/{first.partition}/0"


def test_a_waiting_retry_delays_no_other_message(bench: Bench, settings: Settings) -> None:
    settings.RETRY_DELAYS_SECONDS = (1.5, 60, 600)
    poison = Poison(bench, 1)
    bench.send(1)
    bench.start(poison.handle)
    eventually(lambda: poison.failed, "the failure")
    poison.numbers.clear()
    for number in range(10, 20):
        bench.send(number)
        bench.wait_until_handled(number)
    assert 1 not in bench.numbers
    bench.wait_until_handled(1)


def test_messages_that_fail_together_are_all_retried_together(bench: Bench, settings: Settings) -> None:
    settings.RETRY_DELAYS_SECONDS = (1, 60, 600)
    poison = Poison(bench, *range(40))
    bench.send(*range(40))
    bench.start(poison.handle)
    eventually(lambda: len(poison.failed) == 40, "all failed")
    poison.numbers.clear()
    bench.wait_until_handled(*range(40))
    assert sorted(bench.numbers) == list(range(40))
    assert {decoded.received.attempt for decoded in bench.handled} == {2}


def test_an_answer_that_the_broker_rejects_is_a_failure_of_its_message(bench: Bench) -> None:
    def answer(batch: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
        return [
            OutgoingMessage(
                bench.answer_topic, str(decoded.value), b"x" * (2_000_000 if decoded.value == 3 else 1), {}
            )
            for decoded in batch
        ]

    bench.send(*range(6))
    bench.start(answer)
    [letter] = bench.dead_letters(1)
    assert letter.key == "3"
    assert letter.headers["failure_exception"] == "PublishFailed"
    answered = bench.kafka_client.read(
        [bench.answer_topic], lambda records: len({record.key for record in records}) >= 5
    )
    assert {record.key for record in answered} == {"0", "1", "2", "4", "5"}


def test_two_workers_share_the_partitions_and_lose_nothing_when_one_leaves(bench: Bench) -> None:
    seen: dict[str, list[int]] = {"first": [], "second": []}

    def note(name: str) -> Worker:
        def handle(batch: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
            seen[name] += [decoded.value for decoded in batch]
            return bench.handle(batch)

        return bench.start(handle)

    first = note("first")
    bench.send(0)
    bench.wait_until_handled(0)
    note("second")
    numbers = count(1)

    def both_have_some() -> bool:
        bench.send(next(numbers))
        return bool(seen["first"] and seen["second"])

    eventually(both_have_some, "both workers have messages", seconds=60)
    first.end()
    bench.send(*range(-20, 0))
    bench.wait_until_handled(*range(-20, next(numbers)))
    bench.wait_until_committed()


def test_a_worker_that_is_stopped_finishes_and_commits_its_batch(bench: Bench) -> None:
    started, finish = threading.Event(), threading.Event()

    def slowly(batch: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
        started.set()
        assert finish.wait(10)
        return bench.handle(batch)

    bench.send(1)
    worker = bench.start(slowly)
    assert started.wait(10)
    worker.stop.set()
    finish.set()
    worker.end(seconds=10)
    assert worker.error is None
    assert bench.numbers == [1]
    assert bench.is_committed()


@pytest.mark.parametrize("group_meant", ["own", "another"])
def test_a_message_redriven_for_one_group_is_ignored_by_all_others(bench: Bench, group_meant: str) -> None:
    bench.send(1, headers={"redriven_for": bench.group if group_meant == "own" else "another-group"})
    bench.send(2)
    bench.start()
    bench.wait_until_handled(2)
    bench.wait_until_committed()
    assert (1 in bench.numbers) is (group_meant == "own")
