"""The time from the COMMIT of an event until a consumer reads its message, and the CPU of an idle relay.

The writer shares nothing with the relay but PostgreSQL: no directory, no socket, no process.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from devtools.benchmarks.figures import Options, Row, figure, percentile
from devtools.benchmarks.order_log import place_example, remote_job
from devtools.benchmarks.remote_writer import commit_events
from devtools.benchmarks.system import System, open_system
from devtools.benchmarks.topic_reader import TopicReader, raw_latencies
from devtools.benchmarks.usage import cpu_seconds
from devtools.benchmarks.waiting import wait_until
from devtools.stack.leading_relay import LEADING_SESSION

EVENTS_A_SECOND = 10
_TOPIC = "order.created"


@dataclass(frozen=True, kw_only=True)
class RelayLatencyResult:
    """One run."""

    read_p50: float = figure("COMMIT → read, p50; raw: produce → read", "ms", raw="raw_p50")
    read_p95: float = figure("COMMIT → read, p95; raw: produce → read", "ms", raw="raw_p95")
    relay_idle: float = figure("CPU of the relay, idle", "s/min")
    session_idle: float = figure("CPU of its PostgreSQL session, idle", "s/min")
    raw_p50: float
    raw_p95: float


def measure(options: Options) -> Iterator[tuple[str, RelayLatencyResult]]:
    """The relay alone; one event at a time."""
    with open_system() as system:
        example = place_example(system)
        system.keep_only("relay")
        _, value, _ = system.topics.first_message(_TOPIC)
        commit_events(remote_job(system, example, EVENTS_A_SECOND, EVENTS_A_SECOND))
        for _ in range(options.runs):
            yield f"{EVENTS_A_SECOND} events a second, one at a time", _run(system, example, value, options)


def _run(system: System, example: str, value: bytes, options: Options) -> RelayLatencyResult:
    relay_idle, session_idle = _idle_cpu(system, options.seconds(15, 1))
    count = int(options.seconds(10, 1) * EVENTS_A_SECOND)
    raw = raw_latencies(system.brokers, value, count=count // 2, rate=EVENTS_A_SECOND)
    with TopicReader(system.brokers, _TOPIC) as reader:
        committed = commit_events(remote_job(system, example, count, EVENTS_A_SECOND))
        wait_until(lambda: committed.keys() <= reader.read.keys(), "every message is read")
        waits = [reader.read[order] - moment for order, moment in committed.items()]
    return RelayLatencyResult(
        read_p50=1000 * percentile(waits, 50),
        read_p95=1000 * percentile(waits, 95),
        relay_idle=relay_idle,
        session_idle=session_idle,
        raw_p50=1000 * percentile(raw, 50),
        raw_p95=1000 * percentile(raw, 95),
    )


def _idle_cpu(system: System, seconds: float) -> tuple[float, float]:
    """Seconds of CPU per minute of the relay and of its session, while the log is idle."""
    [(session,)] = system.rows(LEADING_SESSION)
    pids = {"relay": system.stack.pid("relay") or 0, "session": session}
    before = cpu_seconds(pids)
    time.sleep(seconds)
    used = cpu_seconds(pids)
    relay, idle = (60 * (used[name] - before[name]) / seconds for name in ("relay", "session"))
    return relay, idle


ROW = Row(
    "relay-latency",
    "from COMMIT to a consumer of Kafka, one event at a time",
    measure,
    runs=5,
)
