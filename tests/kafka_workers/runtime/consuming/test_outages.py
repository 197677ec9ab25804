"""The behaviour of a worker while a dependency is unavailable, frozen or not started yet."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence

import pytest
from pytest_django import Settings
from structlog.types import EventDict

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import eventually
from devtools.stack.kafka import KafkaBroker
from devtools.stack.ports import free_ports
from foundation.outage import DependencyUnavailable
from kafka_workers.runtime.broker.client_config import consumer_config
from kafka_workers.runtime.consuming import membership
from kafka_workers.runtime.consuming.definition import DecodedMessage
from kafka_workers.runtime.messages.message import OutgoingMessage
from tests.kafka_workers.runtime.workbench import Bench, Worker


class Dependency:
    """A server that the handler needs; it is unavailable while `unavailable` is set."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.unavailable = threading.Event()
        self.attempts: list[list[int]] = []

    def handle(self, batch: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
        self.attempts.append([decoded.value for decoded in batch])
        if self.unavailable.is_set():
            raise DependencyUnavailable("the test's server")
        return self.bench.handle(batch)


@pytest.fixture
def dependency(bench: Bench) -> Dependency:
    return Dependency(bench)


def events(captured_log: list[EventDict], event: str) -> int:
    """How often something was logged."""
    return sum(entry["event"] == event for entry in captured_log)


def test_nothing_is_skipped_or_rebalanced_in_an_outage(
    bench: Bench, dependency: Dependency, monkeypatch: pytest.MonkeyPatch, captured_log: list[EventDict]
) -> None:
    def short_timeouts(*args: object) -> dict[str, object]:
        return consumer_config(*args) | {"max.poll.interval.ms": 1500}  # type: ignore[arg-type]

    monkeypatch.setattr(membership, "consumer_config", short_timeouts)
    bench.send(*range(10))
    bench.start(dependency.handle)
    bench.wait_until_handled(*range(10))
    dependency.unavailable.set()
    bench.send(10)
    eventually(lambda: len(dependency.attempts) >= 6, "attempts")
    bench.send(11, 12)
    dependency.unavailable.clear()
    bench.wait_until_handled(10, 11, 12)
    bench.wait_until_committed()
    assert sorted(bench.numbers) == list(range(13))
    assert dependency.attempts.count([10]) >= 6
    assert events(captured_log, "partitions assigned") == 1
    assert events(captured_log, "dependency unavailable: waiting") == 1
    assert events(captured_log, "dependency available again") == 1


def lose_a_partition_while_waiting(bench: Bench, dependency: Dependency) -> Worker:
    """A first worker waits for its server while a second one, returned, joins; then all 30 are handled."""
    dependency.unavailable.set()
    bench.send(*range(30))
    bench.start(dependency.handle)
    eventually(lambda: len(dependency.attempts) > 1, "the first worker waits")
    second = bench.start()
    eventually(lambda: bench.numbers, "the second worker has a partition")
    eventually(lambda: len(dependency.attempts[-1]) < 30, "the first worker gave up a partition")
    dependency.unavailable.clear()
    bench.wait_until_handled(*range(30))
    return second


def test_messages_of_a_partition_revoked_during_a_wait_are_left_to_its_new_owner(
    bench: Bench, dependency: Dependency
) -> None:
    lose_a_partition_while_waiting(bench, dependency)
    bench.wait_until_committed()
    assert sorted(bench.numbers) == list(range(30))


def test_a_partition_revoked_during_a_wait_is_read_again_when_it_is_assigned_again(
    bench: Bench, dependency: Dependency
) -> None:
    second = lose_a_partition_while_waiting(bench, dependency)
    second.end()
    bench.send(*range(30, 60))
    bench.wait_until_handled(*range(30, 60))
    bench.wait_until_committed()


def test_a_worker_stopped_while_it_waits_leaves_its_batch_uncommitted(
    bench: Bench, dependency: Dependency
) -> None:
    dependency.unavailable.set()
    bench.send(1)
    worker = bench.start(dependency.handle)
    eventually(lambda: len(dependency.attempts) > 1, "the worker waits")
    worker.end(seconds=5)
    assert worker.error is None
    assert bench.lag() == 1


def test_topics_created_after_the_worker_are_found(kafka: str) -> None:
    bench = Bench(KafkaClient(kafka))
    bench.start()
    threading.Event().wait(1)
    bench.create_topics()
    bench.send(1, 2)
    bench.wait_until_handled(1, 2)
    bench.close()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A broker that tests may kill."""
    broker = KafkaBroker(tmp_path_factory.mktemp("kafka"), free_ports(1)[0])
    broker.install()
    yield broker
    broker.stop()


@pytest.fixture
def own_bench(broker: KafkaBroker, settings: Settings, short_delays: None) -> Iterator[Bench]:
    """A bench on that broker."""
    settings.KAFKA_BROKERS = broker.url
    if broker.pid is None:
        broker.start()
    bench = Bench(KafkaClient(broker.url))
    yield bench
    bench.close()


def test_a_worker_waits_for_a_broker_that_has_not_started_yet(
    own_bench: Bench, broker: KafkaBroker, captured_log: list[EventDict]
) -> None:
    broker.kill()
    worker = own_bench.start()
    eventually(lambda: events(captured_log, "Kafka is unreachable: waiting"), "the worker waits")
    broker.start()
    own_bench.create_topics()
    own_bench.send(1)
    own_bench.wait_until_handled(1)
    assert worker.error is None
    assert events(captured_log, "Kafka is unreachable: waiting") == 1
    assert events(captured_log, "Kafka is back") == 1


def test_a_batch_being_handled_survives_an_outage_of_the_broker(
    own_bench: Bench, broker: KafkaBroker
) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slowly(batch: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
        started.set()
        assert go_on.wait(20)
        own_bench.handle(batch)
        return [OutgoingMessage(own_bench.answer_topic, str(decoded.value), b"1", {}) for decoded in batch]

    own_bench.create_topics()
    own_bench.send(1)
    worker = own_bench.start(slowly)
    assert started.wait(20)
    broker.kill()
    go_on.set()
    own_bench.wait_until_handled(1)
    broker.start()
    own_bench.wait_until_committed()
    [answer, *_] = own_bench.kafka_client.read([own_bench.answer_topic], lambda records: len(records) >= 1)
    assert answer.key == "1"
    assert worker.is_alive


def test_a_worker_can_be_stopped_while_the_broker_is_down(own_bench: Bench, broker: KafkaBroker) -> None:
    own_bench.create_topics()
    own_bench.send(1)
    started, go_on = threading.Event(), threading.Event()

    def slowly(batch: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
        started.set()
        assert go_on.wait(20)
        return own_bench.handle(batch)

    worker = own_bench.start(slowly)
    assert started.wait(20)
    broker.kill()
    go_on.set()
    worker.end(seconds=10)
    broker.start()
    own_bench.start()
    own_bench.wait_until_committed()
    assert set(own_bench.numbers) == {1}


@pytest.fixture
def process(bench: Bench) -> Iterator[subprocess.Popen[str]]:
    """A worker of the bench's group in a process of its own."""
    command = [sys.executable, "-m", "tests.kafka_workers.runtime.worker_process", bench.group]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def handling(process: subprocess.Popen[str]) -> list[int]:
    """Waits for the next batch that the process has begun to handle; `finish` lets it continue."""
    assert process.stdout is not None
    numbers: list[int] = json.loads(process.stdout.readline())
    return numbers


def finish(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_frozen_worker_that_lost_its_partitions_commits_nothing_and_continues(
    bench: Bench, process: subprocess.Popen[str]
) -> None:
    bench.send(1)
    assert handling(process) == [1]
    process.send_signal(signal.SIGSTOP)
    heir = bench.start()
    bench.wait_until_handled(1)
    bench.send(2)
    bench.wait_until_handled(2)
    bench.wait_until_committed()
    process.send_signal(signal.SIGCONT)
    finish(process)
    heir.end()
    bench.send(3)
    assert handling(process) == [3]
    finish(process)
    bench.wait_until_committed()
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "partitions lost" in log or "membership lost" in log


def test_sigterm_in_the_middle_of_a_batch_finishes_and_commits_it(
    bench: Bench, process: subprocess.Popen[str]
) -> None:
    bench.send(1)
    assert handling(process) == [1]
    process.send_signal(signal.SIGTERM)
    finish(process)
    process.communicate(timeout=10)
    assert process.returncode == 0
    assert bench.is_committed()
