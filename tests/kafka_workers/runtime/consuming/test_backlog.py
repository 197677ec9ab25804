"""A backlog: the next batch is handled while the broker stores the answers of the one before."""

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import pairwise

import pytest
from confluent_kafka import Message

from devtools.driver.shop import eventually
from kafka_workers.runtime.broker.client_config import BrokerReachability, consumer_config
from kafka_workers.runtime.consuming import membership
from kafka_workers.runtime.consuming.definition import DecodedMessage
from kafka_workers.runtime.messages.message import OutgoingMessage
from tests.kafka_workers.runtime.workbench import Bench

Batch = Sequence[DecodedMessage[int]]


def answers_of(bench: Bench, batch: Batch) -> list[OutgoingMessage]:
    """Records a batch as handled, and answers each message under its own key."""
    bench.handle(batch)
    return [
        OutgoingMessage(bench.answer_topic, decoded.received.key, str(decoded.value).encode(), {})
        for decoded in batch
    ]


def answered(bench: Bench, numbers: set[int]) -> list[tuple[str, int]]:
    """Key and number of each answer, once all these numbers are answered."""
    records = bench.kafka_client.read(
        [bench.answer_topic], lambda found: numbers <= {int(record.value or b"") for record in found}
    )
    return [(record.key, int(record.value or b"")) for record in records]


def send_to_one_partition(bench: Bench, *numbers: int) -> None:
    for number in numbers:
        bench.kafka_client.send(bench.topic, "key", str(number).encode())


def join(bench: Bench, wait_for: Callable[[Message], float] = lambda _: 0) -> membership.GroupMembership:
    return membership.GroupMembership(
        bench.group,
        [bench.topic],
        wait_for=wait_for,
        before_revoked=lambda: None,
        reachability=BrokerReachability(),
    )


def test_the_next_batch_is_handled_before_the_offsets_of_this_one_are_committed(bench: Bench) -> None:
    handled_ahead: list[int] = []

    def note_lag(batch: Batch) -> list[OutgoingMessage]:
        if bench.lag() > 100 - len(bench.handled):
            handled_ahead.append(batch[0].value)
        return answers_of(bench, batch)

    send_to_one_partition(bench, *range(100))
    bench.start(note_lag, batch_size=10)
    bench.wait_until_committed()
    assert bench.numbers == list(range(100))
    assert [number for _, number in answered(bench, set(range(100)))] == list(range(100))
    assert handled_ahead


def test_a_message_that_fails_in_a_batch_handled_ahead_stops_no_other(bench: Bench) -> None:
    def fail_13(batch: Batch) -> list[OutgoingMessage]:
        if any(decoded.value == 13 for decoded in batch):
            raise ArithmeticError
        return answers_of(bench, batch)

    send_to_one_partition(bench, *range(40))
    bench.start(fail_13, batch_size=5)
    assert [letter.value for letter in bench.dead_letters(1)] == [b"13"]
    bench.wait_until_committed()
    others = [number for number in range(40) if number != 13]
    assert [number for _, number in answered(bench, set(others))] == others


def test_a_worker_that_is_stopped_answers_and_commits_what_it_has_handled_ahead(bench: Bench) -> None:
    def stop_after_ten(batch: Batch) -> list[OutgoingMessage]:
        if len(bench.handled) + len(batch) >= 10:
            bench.workers[0].stop.set()
        return answers_of(bench, batch)

    send_to_one_partition(bench, *range(100))
    worker = bench.start(stop_after_ten, batch_size=5)
    eventually(lambda: not worker.is_alive, "the worker has ended")
    assert 100 - bench.lag() == len(bench.handled) < 100
    assert [number for _, number in answered(bench, set(bench.numbers))] == bench.numbers


def test_no_answer_of_a_partition_arrives_after_those_of_its_next_member(bench: Bench) -> None:
    pause, keys, each = threading.Event(), 6, 60

    def slowly(batch: Batch) -> list[OutgoingMessage]:
        pause.wait(0.05)
        return answers_of(bench, batch)

    for number in range(each):
        for key in range(keys):
            bench.kafka_client.send(bench.topic, f"key-{key}", str(key * each + number).encode())
    bench.start(slowly, batch_size=5)
    eventually(lambda: len(bench.handled) >= 20, "some are handled")
    bench.start(slowly, batch_size=5)
    bench.wait_until_committed()
    answers = answered(bench, set(range(keys * each)))
    for key in range(keys):
        numbers = [number for name, number in answers if name == f"key-{key}"]
        steps_back = sum(later < earlier for earlier, later in pairwise(numbers))
        assert steps_back <= 1, f"the first member's answers, then the second's: {numbers}"


def test_a_batch_polled_ahead_is_left_to_the_next_member_when_the_membership_is_lost(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short_timeouts(*args: object) -> dict[str, object]:
        return consumer_config(*args) | {"max.poll.interval.ms": 1500}  # type: ignore[arg-type]

    monkeypatch.setattr(membership, "consumer_config", short_timeouts)
    send_to_one_partition(bench, *range(100))
    with closing(join(bench)) as member:
        eventually(lambda: member.poll_batch(5) and member.poll_ahead(5), "two batches")
        bench.start()
        bench.wait_until_committed()

        def has_left_what_it_polled_ahead() -> bool:
            member.commit()
            return not member.is_ahead

        eventually(has_left_what_it_polled_ahead, "the member knows that its membership is lost")
        assert member.poll_batch(5) == []
    assert bench.numbers == list(range(100))


def test_messages_polled_ahead_of_one_that_is_not_due_are_not_passed_over(bench: Bench) -> None:
    send_to_one_partition(bench, *range(20))
    member = join(bench, wait_for=lambda message: 60 if message.offset() == 12 else 0)
    polled: set[int | None] = set()

    def has_polled_all_that_are_due() -> bool:
        polled.update(message.offset() for message in member.poll_batch(5))
        polled.update(message.offset() for message in member.poll_ahead(20))
        member.commit()
        return polled == set(range(12))

    with closing(member):
        eventually(has_polled_all_that_are_due, "all messages before the one that is not due")
        member.poll_batch(5)
        member.commit()
        assert 20 - bench.lag() == 12


def serve(member: membership.GroupMembership) -> list[Message]:
    """Serves the client for a moment; the messages that have arrived and are in no batch."""
    member._serve_and_buffer(0.1)
    return member._buffer


def test_what_was_polled_ahead_is_dropped_though_the_loss_is_told_only_after_the_refused_commit(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_to_one_partition(bench, 1, 2)
    with closing(join(bench)) as member:
        eventually(lambda: member.poll_batch(1), "the first message")
        eventually(lambda: serve(member), "the second message")
        assert len(member.poll_ahead(1)) == 1
        served: list[float] = []

        def serve_and_tell_the_loss_later(seconds: float) -> None:
            served.append(seconds)
            if len(served) == 2:
                member._on_lost(member._consumer, member._partitions())

        monkeypatch.setattr(member, "_serve_and_buffer", serve_and_tell_the_loss_later)
        monkeypatch.setattr(member._offsets, "commit", lambda _: False)
        member.commit()
        assert (member.batch, member.is_ahead) == ([], False)
