"""Thousands of idle sockets: the memory of each, and the time until it receives an event of its customer."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from devtools.benchmarks.figures import Options, Row, figure, percentile, require_equal
from devtools.benchmarks.order_log import NEW_ORDER_ID
from devtools.benchmarks.socket_load import RunningSockets
from devtools.benchmarks.system import System, open_system
from devtools.benchmarks.waiting import wait_until

EVENTS_A_SECOND = 1000
_BATCHES_A_SECOND = 20
_COPY = f"""
INSERT INTO order_event (order_id, version, type, user_id, data, actor, trace_parent, created_at)
SELECT new.id, 1, type, listener.user_id,
       jsonb_set(jsonb_set(data, '{{changes,id}}', to_jsonb(new.id::text)),
                 '{{changes,userId}}', to_jsonb(listener.user_id::text)),
       actor, trace_parent, %s
FROM unnest(%s::bigint[]) AS listener (user_id)
CROSS JOIN LATERAL (SELECT {NEW_ORDER_ID} AS id WHERE listener.user_id IS NOT NULL) AS new,
     order_event AS example
WHERE example.order_id = %s AND example.version = 1
"""


@dataclass(frozen=True, kw_only=True)
class SocketsResult:
    """One run."""

    memory: float = figure("memory of each", "KiB")
    heard: float = figure("events heard; raw: events written", "/s", raw="raw")
    p50: float = figure("event due → heard, p50", "ms")
    p99: float = figure("event due → heard, p99", "ms")
    raw: float


def measure(options: Options) -> Iterator[tuple[str, SocketsResult]]:
    """One socket per customer; the events are inserted into the order log by a schedule, not over HTTP."""
    with open_system() as system:
        customers = system.new_customers(options.size(5_000, 50))
        [product] = system.new_products(1)
        example = system.place(system.token(customers[0]), product)
        system.keep_only("sockets")
        for _ in range(options.runs):
            # A process does not return memory to the system, so each run starts a new one.
            system.stack.restart("sockets")
            system.await_sockets()
            yield f"{len(customers):,} sockets", _run(system, customers, example, options)


def _run(system: System, customers: Sequence[int], example: str, options: Options) -> SocketsResult:
    ports, host = system.stack.settings.ports, system.stack.settings.host
    tokens = [system.token(customer) for customer in customers]
    with RunningSockets(host, ports.sockets, tokens[:1]):
        before = system.memory()["sockets"]
        with RunningSockets(host, ports.sockets, tokens) as sockets:
            memory = 1024 * (system.memory()["sockets"] - before) / len(tokens)
            seconds = options.seconds(5, 0.5)
            started, ended, written = _write(system, customers, example, seconds)
            last = wait_until(lambda: len(sockets.ages()) >= written, "every event is received", pause=0.1)
            ages = sockets.ages()
    require_equal("events received", len(ages), written)
    return SocketsResult(
        memory=memory,
        heard=written / (last - started),
        p50=1000 * percentile(ages, 50),
        p99=1000 * percentile(ages, 99),
        raw=written / (ended - started),
    )


def _write(
    system: System, customers: Sequence[int], example: str, seconds: float
) -> tuple[float, float, int]:
    """Writes events by a schedule, each for the next customer; returns start, end and number."""
    size = EVENTS_A_SECOND // _BATCHES_A_SECOND
    started, began = time.monotonic(), datetime.now(UTC)
    batches = int(seconds * _BATCHES_A_SECOND)
    for number in range(batches):
        due = number / _BATCHES_A_SECOND
        time.sleep(max(0.0, started + due - time.monotonic()))
        listeners = [customers[(number * size + index) % len(customers)] for index in range(size)]
        system.postgres.execute(_COPY, [began + timedelta(seconds=due), listeners, example])
    return started, time.monotonic(), batches * size


ROW = Row("sockets", "thousands of idle sockets, and a thousand events a second to them", measure)
