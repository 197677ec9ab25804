"""Messages that are handled one by one: none is handled again because of another one."""

import threading
from datetime import timedelta
from typing import Any

import msgspec
from pytest_django import Settings

from devtools.driver.shop import eventually
from foundation.outage import DependencyUnavailable, NotNow
from kafka_workers.runtime.consuming.definition import DecodedMessage
from tests.kafka_workers.runtime.workbench import Bench


class Ledger:
    """A handler that notes each number it is given; what `fails` gives for a number is raised."""

    def __init__(self) -> None:
        self.given: list[int] = []
        self.announced: list[int] = []
        self.fails: dict[int, Exception] = {}
        self.seconds = 0.0

    def handle(self, decoded: DecodedMessage[int], upcoming: DecodedMessage[int] | None) -> None:
        self.given.append(decoded.value)
        self.announced += [upcoming.value] if upcoming else []
        threading.Event().wait(self.seconds)
        if error := self.fails.get(decoded.value):
            raise error

    def await_numbers(self, *numbers: int) -> None:
        eventually(lambda: set(numbers) <= set(self.given), f"{numbers} handled")


def send_in_order(bench: Bench, *numbers: int) -> None:
    """Sends numbers to one partition."""
    for number in numbers:
        bench.kafka_client.send(bench.topic, "one", msgspec.json.encode(number))


def test_a_message_that_fails_is_tried_again_alone_and_its_neighbours_once_in_their_order(
    bench: Bench,
) -> None:
    ledger = Ledger()
    ledger.fails[3] = ArithmeticError("3 cannot be handled")
    send_in_order(bench, *range(7))
    bench.start_one_by_one(ledger.handle)
    [letter] = bench.dead_letters(1)
    assert letter.headers["failure_reason"] == "3 cannot be handled"
    assert [number for number in ledger.given if number != 3] == [0, 1, 2, 4, 5, 6]
    assert ledger.given.count(3) == 4, "once and after each of three delays"
    bench.wait_until_committed()


def test_during_an_outage_the_next_message_waits_and_none_before_it_is_handled_again(bench: Bench) -> None:
    ledger = Ledger()
    ledger.fails[3] = DependencyUnavailable("the mail server")
    send_in_order(bench, *range(7))
    bench.start_one_by_one(ledger.handle)
    eventually(lambda: ledger.given.count(3) >= 3, "3 is tried again and again")
    assert set(ledger.given) == {0, 1, 2, 3}
    del ledger.fails[3]
    ledger.await_numbers(6)
    assert [number for number in ledger.given if number != 3] == [0, 1, 2, 4, 5, 6]
    bench.wait_until_committed()


def test_what_a_dependency_does_not_do_now_is_tried_for_its_patience_and_told_in_one_line(
    bench: Bench, captured_log: list[dict[str, Any]]
) -> None:
    class Deferred(NotNow):
        patience = timedelta(seconds=3)

    ledger = Ledger()
    ledger.fails[3] = Deferred("451 later")
    send_in_order(bench, *range(5))
    bench.start_one_by_one(ledger.handle)
    [letter] = bench.dead_letters(1)
    assert letter.headers["failure_reason"] == "451 later"
    assert ledger.given.count(3) > 6, "more often than the three delays"
    assert [number for number in ledger.given if number != 3] == [0, 1, 2, 4]

    def outcomes_told() -> set[str]:
        return {line["outcome"] for line in captured_log if line["event"] == "message failed"}

    # The dead letter can be read a moment before its line is written.
    eventually(lambda: outcomes_told() == {"retried", "dead_lettered"}, "both outcomes are told")
    told = [line for line in captured_log if line["event"] == "message failed"]
    assert not any(line["exc_info"] for line in told)


def test_messages_count_as_handled_once_what_they_have_left_open_is_finished(bench: Bench) -> None:
    ledger = Ledger()
    away = threading.Event()
    away.set()

    def finish() -> None:
        if away.is_set():
            raise DependencyUnavailable("PostgreSQL")

    send_in_order(bench, *range(3))
    bench.start_one_by_one(ledger.handle, finish=finish)
    eventually(lambda: ledger.given.count(2) >= 2, "they come again")
    assert bench.lag() == 3
    away.clear()
    bench.wait_until_committed()


def test_slow_messages_are_committed_when_their_time_is_used_up_and_none_is_handled_again(
    bench: Bench,
) -> None:
    ledger = Ledger()
    ledger.seconds = 0.05
    numbers = list(range(20))
    send_in_order(bench, *numbers)
    worker = bench.start_one_by_one(ledger.handle, time_budget=0.1)
    ledger.await_numbers(3)
    worker.end()
    assert len(ledger.given) < len(numbers), "the worker ends before all that it has polled is handled"
    bench.start_one_by_one(ledger.handle, time_budget=0.1)
    ledger.await_numbers(*numbers)
    assert ledger.given == numbers


def test_each_message_of_a_backlog_is_announced_before_its_turn(bench: Bench) -> None:
    ledger = Ledger()
    send_in_order(bench, *range(7))
    bench.start_one_by_one(ledger.handle)
    ledger.await_numbers(6)
    assert ledger.announced == list(range(1, 7))


def test_a_breaker_that_opens_leaves_the_messages_behind_it_untouched(
    bench: Bench, settings: Settings
) -> None:
    settings.RETRY_DELAYS_SECONDS = ()
    settings.BREAKER_RUN = 3
    ledger = Ledger()
    ledger.fails = {number: ArithmeticError(str(number)) for number in range(3)}
    send_in_order(bench, *range(6))
    worker = bench.start_one_by_one(ledger.handle)
    assert len(bench.dead_letters(3)) == 3
    worker.end()
    assert ledger.given == [0, 1, 2]
    bench.start_one_by_one(ledger.handle)
    ledger.await_numbers(3, 4, 5)
    assert ledger.given == list(range(6))


def test_a_function_beside_the_consumer_runs_until_the_worker_is_stopped(bench: Bench) -> None:
    ended = threading.Event()

    def beside(stop: threading.Event) -> None:
        stop.wait()
        ended.set()

    ledger = Ledger()
    worker = bench.start_one_by_one(ledger.handle, beside=[beside])
    send_in_order(bench, 1)
    ledger.await_numbers(1)
    assert not ended.is_set()
    worker.end()
    assert ended.is_set()


def test_a_function_beside_the_consumer_that_fails_ends_the_worker_with_its_error(bench: Bench) -> None:
    def beside(_: threading.Event) -> None:
        raise ArithmeticError("it cannot go on")

    worker = bench.start_one_by_one(Ledger().handle, beside=[beside])
    eventually(lambda: not worker.is_alive, "the worker ends")
    assert isinstance(worker.error, ArithmeticError)
