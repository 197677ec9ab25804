"""A consumer with an open circuit breaker waits in its group and tells of it; a kill does not close it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from pytest_django import Settings
from structlog.types import EventDict

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import eventually
from foundation import heartbeat
from foundation.heartbeat import OpenBreaker
from foundation.metrics import CIRCUIT_BREAKER_OPEN
from kafka_workers.runtime.consuming.definition import DecodedMessage
from kafka_workers.runtime.messages.message import OutgoingMessage
from tests.kafka_workers.runtime.workbench import Bench

BAD = b"bad"


@pytest.fixture(autouse=True)
def few_dead_letters_open_it(settings: Settings) -> None:
    settings.BREAKER_RUN = 5
    settings.BREAKER_PROBE = 4
    settings.BREAKER_PAUSE_SECONDS = 600


def opened(captured_log: list[EventDict]) -> list[EventDict]:
    return [entry for entry in captured_log if entry["event"].startswith("circuit breaker open")]


def is_open(bench: Bench) -> bool:
    [sample] = [
        sample
        for family in CIRCUIT_BREAKER_OPEN.collect()
        for sample in family.samples
        if sample.labels == {"group": bench.group}
    ]
    return sample.value == 1


def test_the_breaker_stays_closed_while_handled_messages_outnumber_the_dead_letters(bench: Bench) -> None:
    bench.send(*range(40))
    worker = bench.start()
    bench.wait_until_handled(*range(40))
    bench.send(*[b"bad"] * 30)
    bench.send(99)
    bench.wait_until_handled(99)
    assert len(bench.dead_letters(30)) == 30
    assert worker.is_alive


def test_a_worker_that_stops_with_an_open_breaker_tries_nothing_that_it_polled_ahead(
    kafka: str, settings: Settings
) -> None:
    settings.RETRY_DELAYS_SECONDS = ()

    def stop_behind_the_first_batch(batch: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
        if any(decoded.value >= 5 for decoded in batch):
            bench.workers[0].stop.set()
            raise ArithmeticError
        too_large = bytes(2_000_000)
        return [OutgoingMessage(bench.answer_topic, "key", too_large, {}) for _ in batch]

    with closing(Bench(KafkaClient(kafka))) as bench:
        bench.create_topics(partitions=1)
        bench.send(*range(10))
        worker = bench.start(stop_behind_the_first_batch, batch_size=5)
        eventually(lambda: not worker.is_alive, "the worker has ended")
        assert [letter.value for letter in bench.dead_letters(5)] == [b"0", b"1", b"2", b"3", b"4"]
        assert bench.lag() == 5


def test_a_batch_of_bad_messages_leaves_no_more_dead_letters_than_open_the_breaker(
    bench: Bench, captured_log: list[EventDict]
) -> None:
    bench.send(*[BAD] * 200)
    worker = bench.start()
    [entry] = eventually(lambda: opened(captured_log), "the breaker opened")
    assert entry["log_level"] == "error"
    assert entry["reason"].startswith(
        "5 dead letters against 0 good messages in the last 300 s, 5 of them in a row; the latest: JSON"
    )
    assert is_open(bench)
    assert len(bench.dead_letters(5)) == 5
    eventually(lambda: bench.lag() == 195, "the dead letters are committed")
    bench.send(1)
    worker.end(seconds=10)
    assert worker.error is None
    assert bench.count(f"{bench.group}.dlq") == 5
    assert bench.lag() == 196


def test_messages_handled_behind_the_last_dead_letter_come_again(bench: Bench, settings: Settings) -> None:
    settings.BREAKER_PAUSE_SECONDS = 1
    bench.send(*[BAD] * 6, 7)
    bench.start()
    bench.wait_until_committed()
    assert len(bench.dead_letters(6)) == 6
    assert set(bench.numbers) == {7}


def test_a_second_worker_takes_no_messages_of_a_tripped_one(
    bench: Bench, captured_log: list[EventDict]
) -> None:
    def assigned() -> int:
        return sum(entry["event"] == "partitions assigned" for entry in captured_log)

    bench.send(*[f"bad{number}".encode() for number in range(60)])
    bench.start()
    eventually(lambda: opened(captured_log), "the breaker opened")
    before = assigned()
    bench.start()
    eventually(lambda: assigned() > before, "the second worker has partitions")
    eventually(lambda: len(opened(captured_log)) > 1, "it knows that the breaker of its group is open")
    assert bench.count(f"{bench.group}.dlq") == 5


def test_it_tries_a_few_messages_after_the_pause_and_closes_when_they_are_good(
    bench: Bench, captured_log: list[EventDict], settings: Settings
) -> None:
    settings.BREAKER_PAUSE_SECONDS = 1
    is_broken = threading.Event()
    is_broken.set()
    settings.RETRY_DELAYS_SECONDS = ()

    def handle(batch: Sequence[DecodedMessage[int]]) -> Iterable[OutgoingMessage]:
        if is_broken.is_set():
            raise ArithmeticError("the code is wrong")
        return bench.handle(batch)

    bench.send(*range(40))
    bench.start(handle)
    eventually(lambda: len(opened(captured_log)) >= 2, "a try failed")
    is_broken.clear()
    eventually(bench.is_committed, "the rest is handled")
    dead = bench.count(f"{bench.group}.dlq")
    assert 5 + 2 <= dead <= 5 + 2 * 4
    assert len(bench.numbers) == 40 - dead
    eventually(lambda: not is_open(bench), "the metric says closed")
    [closed] = [entry for entry in captured_log if entry["event"].startswith("circuit breaker closed")]
    assert closed["log_level"] == "info"
    reasons = [entry["reason"] for entry in opened(captured_log)]
    assert re.fullmatch(
        "tried again, ([2-4]) of [2-4] messages failed; the latest: the code is wrong", reasons[1]
    )


def test_its_record_tells_of_it(
    bench: Bench, captured_log: list[EventDict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    record = heartbeat.begin("tripped")
    bench.send(*[BAD] * 9)
    bench.start()
    eventually(lambda: opened(captured_log), "the breaker opened")

    def told() -> list[OpenBreaker]:
        [process] = heartbeat.worker_processes(tmp_path, silent_after=60)
        assert process.state == "working"
        return [process.breaker] if process.breaker else []

    [breaker] = eventually(told, "the record tells of the breaker")
    assert breaker.group == bench.group
    assert "5 dead letters against 0 good messages" in breaker.reason
    assert 600 <= (breaker.try_at - breaker.since).total_seconds() < 601
    record.end()


class TrippingProcess:
    """A consumer of the bench's group, as a process that has just opened its circuit breaker."""

    def __init__(self, bench: Bench) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.kafka_workers.runtime.tripping_process", bench.group],
            env=os.environ | {"LOG_FORMAT": "json"},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr
        for line in self._process.stderr:
            if json.loads(line)["message"].startswith("circuit breaker open"):
                return
        raise AssertionError("the process ended without having opened its breaker")

    def end(self, number: signal.Signals) -> int:
        """Sends this signal; the exit code."""
        self._process.send_signal(number)
        with self._process:
            return self._process.wait(15)


def test_a_killed_worker_is_still_tripped_when_it_starts_again_and_a_stopped_one_tries_at_once(
    bench: Bench,
) -> None:
    bench.send(*[BAD] * 30)
    for _ in range(2):
        assert TrippingProcess(bench).end(signal.SIGKILL) == -signal.SIGKILL
    assert TrippingProcess(bench).end(signal.SIGTERM) == 0
    assert len(bench.dead_letters(5)) == 5
    assert TrippingProcess(bench).end(signal.SIGTERM) == 0
    assert 7 <= len(bench.dead_letters(7)) <= 9
