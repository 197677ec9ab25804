"""The outbox relay on a full order log: how fast it publishes, and how many SQL statements it needs."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devtools.benchmarks.figures import MeasurementFailed, Options, Row, figure, require_equal
from devtools.benchmarks.raw_kafka import Prepared, RawKafka
from devtools.benchmarks.system import System, open_system, wait_until
from kafka_workers.workers import RELAY

_COPY = """
INSERT INTO order_event (order_id, version, type, user_id, data, actor, trace_parent, created_at)
SELECT new.id, 1, type, user_id,
       jsonb_set(data, '{changes,id}', to_jsonb(new.id::text)), actor, trace_parent, now()
FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, %s)) AS new, order_event AS example
WHERE example.order_id = %s AND example.version = 1
"""
# objsubid 2 is an advisory lock with two keys; only the relay takes one.
_RELAY_SESSION = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted"
_POSITION = "SELECT tx::text, event_id FROM reader_position WHERE reader = 'outbox-relay'"
_END = "SELECT tx::text, id FROM order_event ORDER BY order_event.tx DESC, id DESC LIMIT 1"
_EVENTS_A_COMMIT = 500
_TOPICS = ("order.created", "inventory.reserve")


@dataclass(frozen=True, kw_only=True)
class RelayResult:
    """One run."""

    events: float = figure("events; raw: the same messages by confluent-kafka", "/s", raw="raw")
    statements: float = figure("SQL statements an event", "")
    raw: float


def measure(options: Options) -> Iterator[tuple[str, RelayResult]]:
    """The relay alone: paused while the log is filled, then resumed."""
    with open_system() as system:
        example = _example(system)
        _relay_alone(system, example)
        raw = RawKafka(system.brokers)
        _run(system, raw, example, 2_000)
        for _ in range(options.runs):
            result = _run(system, raw, example, options.size(40_000, 4_000))
            yield "order.created, two messages each", result


def _example(system: System) -> str:
    [customer] = system.new_customers(1)
    [product] = system.new_products(1)
    return system.place(system.token(customer), product)


def _relay_alone(system: System, example: str) -> None:
    """Leaves only the relay running, and makes PostgreSQL log each statement of its session."""
    system.await_processing(example)
    _await_position(system, system.rows(_END))
    system.keep_only()
    database = system.rows("SELECT current_database()")[0][0]
    system.postgres.execute(f"ALTER DATABASE {database} SET log_statement = 'all'")
    system.add_worker(RELAY)
    wait_until(lambda: system.rows(_RELAY_SESSION), "a relay leads")


def _run(system: System, raw: RawKafka, example: str, count: int) -> RelayResult:
    before = [system.ends(topic) for topic in _TOPICS]
    raw_rate = _raw_rate(system, raw, count)
    [(session,)] = system.rows(_RELAY_SESSION)
    log = _ServerLog(system.stack.servers["postgres"].log_path)
    system.stack.pause(RELAY.name)
    for _ in range(0, count, _EVENTS_A_COMMIT):
        system.postgres.execute(_COPY, [_EVENTS_A_COMMIT, example])
    end = system.rows(_END)
    log.skip()
    started = time.monotonic()
    system.stack.resume(RELAY.name)
    ended = _await_position(system, end)
    statements = log.statements_of(session)
    for topic, start in zip(_TOPICS, before, strict=True):
        require_equal(f"messages in {topic}", system.ends(topic) - start, count)
    if not statements:
        raise MeasurementFailed("PostgreSQL has logged no statement of the relay")
    return RelayResult(events=count / (ended - started), statements=statements / count, raw=raw_rate)


def _await_position(system: System, end: list[tuple[object, ...]]) -> float:
    """Waits until the relay has stored this position; returns the time."""
    return wait_until(lambda: system.rows(_POSITION) == end, "every event is published", 60)


def _raw_rate(system: System, raw: RawKafka, events: int) -> float:
    """Events per second; each is two messages with the size and headers of the relay's messages."""
    topic = raw.new_topic()
    example = _sample_messages(system)
    messages: Iterator[Prepared] = (example[number % 2] for number in range(2 * events))
    return events / raw.send(topic, messages)


def _sample_messages(system: System) -> list[Prepared]:
    return [system.first_message(topic) for topic in _TOPICS]


class _ServerLog:
    """The log of PostgreSQL, from an offset on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start = 0

    def skip(self) -> None:
        """Moves the offset to the end of the log."""
        self._start = self._path.stat().st_size

    def statements_of(self, session: int) -> int:
        """How many statements of this session the log has since the offset."""
        with self._path.open("rb") as log:
            log.seek(self._start)
            statement = rb"(?m)\[%d\] LOG:  (?:statement|execute [^:]*):" % session
            return len(re.findall(statement, log.read()))


ROW = Row("relay", "events from the log to the broker, acks=all", measure)
