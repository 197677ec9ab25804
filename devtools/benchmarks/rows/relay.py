"""The outbox relay on a full order log: how fast it publishes, its memory, its statements."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devtools.benchmarks.figures import MeasurementFailed, Options, Row, figure, require_equal
from devtools.benchmarks.order_log import (
    await_leader,
    await_relay,
    copy_event,
    end_of_log,
    place_example,
)
from devtools.benchmarks.raw_kafka import RawKafka
from devtools.benchmarks.system import System, open_system
from devtools.benchmarks.usage import most_rss, pss
from devtools.stack.leading_relay import LEADING_SESSION
from kafka_workers.workers import RELAY

TOPICS = ("order.created", "inventory.reserve")
"""Where an event of a placed order goes: a message in each."""


@dataclass(frozen=True, kw_only=True)
class BacklogResult:
    """One backlog."""

    messages: float = figure("messages; raw: the same by confluent-kafka", "/s", raw="raw")
    raw: float


@dataclass(frozen=True, kw_only=True)
class RelayResult(BacklogResult):
    """One backlog of the relay alone."""

    statements: float = figure("SQL statements an event", "")
    pss: float = figure("memory of the relay afterwards (PSS)", "MiB")
    most_rss: float = figure("most memory of the relay so far (RSS)", "MiB")


def measure(options: Options) -> Iterator[tuple[str, RelayResult]]:
    """The relay alone: paused while the log is filled, then resumed."""
    with open_system() as system:
        example = place_example(system)
        _relay_alone(system)
        raw = RawKafka(system.brokers)
        _run(system, raw, example, 2_000)
        count = options.size(40_000, 4_000)
        for _ in range(options.runs):
            yield f"a backlog of {2 * count:,} messages", _run(system, raw, example, count)


def measure_backlog(system: System, raw: RawKafka, example: str, count: int) -> BacklogResult:
    """Measures the raw client, then the relays that run, on as many events."""
    beside = _raw_rate(system, raw, count)
    return BacklogResult(messages=publish_backlog(system, example, count), raw=beside)


def publish_backlog(system: System, example: str, count: int) -> float:
    """Messages per second: all relays are paused while so many events are appended, then resumed."""
    relays = [name for name in system.stack.processes if name.startswith(RELAY.name)]
    before = [system.topics.end(topic) for topic in TOPICS]
    for name in relays:
        system.stack.pause(name)
    copy_event(system, example, count)
    end = end_of_log(system)
    started = time.monotonic()
    for name in relays:
        system.stack.resume(name)
    ended = await_relay(system, end)
    for topic, start in zip(TOPICS, before, strict=True):
        require_equal(f"messages in {topic}", system.topics.end(topic) - start, count)
    return 2 * count / (ended - started)


def _raw_rate(system: System, raw: RawKafka, events: int) -> float:
    """Messages per second; each event is two messages with the size and headers of the relay's messages."""
    topic = raw.new_topic()
    examples = [system.topics.first_message(topic) for topic in TOPICS]
    messages = (examples[number % 2] for number in range(2 * events))
    return 2 * events / raw.send(topic, messages)


def _relay_alone(system: System) -> None:
    """Leaves only the relay running, and makes PostgreSQL log each statement of its session."""
    system.keep_only()
    database = system.rows("SELECT current_database()")[0][0]
    system.postgres.execute(f"ALTER DATABASE {database} SET log_statement = 'all'")
    system.add_worker(RELAY)
    await_leader(system)


def _run(system: System, raw: RawKafka, example: str, count: int) -> RelayResult:
    [(session,)] = system.rows(LEADING_SESSION)
    log = _ServerLog(system.stack.servers["postgres"].log_path)
    backlog = measure_backlog(system, raw, example, count)
    statements = log.statements_of(session)
    if not statements:
        raise MeasurementFailed("PostgreSQL has logged no statement of the relay")
    relay = system.stack.pid(RELAY.name) or 0
    return RelayResult(
        messages=backlog.messages,
        statements=statements / count,
        pss=pss(relay),
        most_rss=most_rss(relay),
        raw=backlog.raw,
    )


class _ServerLog:
    """The log of PostgreSQL, from now on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start = path.stat().st_size

    def statements_of(self, session: int) -> int:
        """How many statements of this session have been logged."""
        with self._path.open("rb") as log:
            log.seek(self._start)
            statement = rb"(?m)\[%d\] LOG:  (?:statement|execute [^:]*):" % session
            return len(re.findall(statement, log.read()))


ROW = Row("relay", "events from the log to the broker, acks=all", measure, runs=10)
