"""The time from the COMMIT of an event until a consumer reads its message, and the CPU of an idle relay.

The writer shares nothing with the relay but PostgreSQL: no directory, no socket, no process.
"""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
from confluent_kafka import Consumer, TopicPartition

from devtools.benchmarks.background import Background
from devtools.benchmarks.figures import Options, Row, figure, percentile
from devtools.benchmarks.kafka_client import NO_CLIENT_LOG
from devtools.benchmarks.system import System, open_system, wait_until

EVENTS_A_SECOND = 10
_TOPIC = "order.created"
_INSERT = """
INSERT INTO order_event (order_id, version, type, user_id, data, actor, trace_parent, created_at)
SELECT %s::uuid, 1, type, user_id, data, actor, trace_parent, now()
FROM order_event WHERE order_id = %s AND version = 1
"""
# What every writer of the log does after its COMMIT.
_NOTIFY = "NOTIFY order_log"
_RELAY_SESSION = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted"


@dataclass(frozen=True, kw_only=True)
class RelayLatencyResult:
    """One run."""

    read_p50: float = figure("COMMIT → message read by a consumer, p50", "ms")
    read_p95: float = figure("COMMIT → message read by a consumer, p95", "ms")
    relay_idle: float = figure("CPU of the relay, idle", "s/min")
    session_idle: float = figure("CPU of its PostgreSQL session, idle", "s/min")


class Reader(Background):
    """A plain consumer of new messages of a topic; notes when it read the message of each key."""

    def __init__(self, system: System, topic: str) -> None:
        super().__init__()
        self.read: dict[str, float] = {}
        self._consumer = Consumer(
            {"bootstrap.servers": system.brokers, "group.id": "bench-reads", **NO_CLIENT_LOG}
        )
        self._consumer.assign(
            [TopicPartition(topic, each, end) for each, end in enumerate(system.partition_ends(topic))]
        )

    def run(self) -> None:
        """Reads until the measurement ends."""
        while not self.stopped.is_set():
            message = self._consumer.poll(0.1)
            if message is not None and not message.error():
                self.read[(message.key() or b"").decode()] = time.monotonic()
        self._consumer.close()


def measure(options: Options) -> Iterator[tuple[str, RelayLatencyResult]]:
    """The relay alone; one event at a time."""
    with open_system() as system:
        example = _example(system)
        system.keep_only("relay")
        for _ in range(options.runs):
            yield f"{EVENTS_A_SECOND} events a second, one at a time", _run(system, example, options)


def _example(system: System) -> str:
    [customer] = system.new_customers(1)
    [product] = system.new_products(1)
    order = system.place(system.token(customer), product)
    system.await_processing(order)
    return order


def _run(system: System, example: str, options: Options) -> RelayLatencyResult:
    relay_idle, session_idle = _idle_cpu(system, options.seconds(20, 2))
    with Reader(system, _TOPIC) as reader:
        committed = _commit_events(system, example, int(options.seconds(15, 2) * EVENTS_A_SECOND))
        wait_until(lambda: committed.keys() <= reader.read.keys(), "every message is read")
    waits = [1000 * (reader.read[order] - moment) for order, moment in committed.items()]
    return RelayLatencyResult(
        read_p50=percentile(waits, 50),
        read_p95=percentile(waits, 95),
        relay_idle=relay_idle,
        session_idle=session_idle,
    )


def _commit_events(system: System, example: str, count: int) -> dict[str, float]:
    """Appends events at a steady rate; returns when each was committed."""
    committed: dict[str, float] = {}
    start = time.monotonic() + 1
    for number in range(count):
        time.sleep(max(0.0, start + number / EVENTS_A_SECOND - time.monotonic()))
        order = str(uuid.uuid4())
        system.postgres.execute(_INSERT, [order, example])
        committed[order] = time.monotonic()
        system.postgres.execute(_NOTIFY)
    return committed


def _idle_cpu(system: System, seconds: float) -> tuple[float, float]:
    """Seconds of CPU per minute of the relay and of its session, while the log is idle."""
    [(session,)] = system.rows(_RELAY_SESSION)
    processes = psutil.Process(system.stack.processes["relay"].pid), psutil.Process(session)
    before = [_cpu_seconds(process) for process in processes]
    time.sleep(seconds)
    used = [_cpu_seconds(process) - start for process, start in zip(processes, before, strict=True)]
    return used[0] * 60 / seconds, used[1] * 60 / seconds


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    user, system = float(times.user), float(times.system)
    return user + system


ROW = Row("relay-latency", "from COMMIT to a consumer of Kafka, one event at a time", measure)
