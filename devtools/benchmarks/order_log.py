"""Events that are written into the order log without their orders, for the rows that measure its readers."""

from collections.abc import Iterator
from contextlib import contextmanager

from devtools.benchmarks.remote_writer import Job
from devtools.benchmarks.system import System
from devtools.benchmarks.waiting import wait_until
from devtools.stack.leading_relay import LEADING_PORT, is_connected_from
from kafka_workers.workers import RELAY

EVENTS_A_COMMIT = 500
NEW_ORDER_ID = (
    "(left(replace(order_id_from(clock_timestamp())::text, '-', ''), 12) || '7' ||"
    " right(replace(gen_random_uuid()::text, '-', ''), 19))::uuid"
)
"""An id like that of an order placed now: the log has a partition for each month of its orders."""
_COPY = f"""
INSERT INTO order_event (order_id, version, type, user_id, data, actor, trace_parent, created_at)
SELECT new.id, 1, type, user_id,
       jsonb_set(data, '{{changes,id}}', to_jsonb(new.id::text)), actor, trace_parent, now()
FROM (SELECT {NEW_ORDER_ID} AS id FROM generate_series(1, %s)) AS new, order_event AS example
WHERE example.order_id = %s AND example.version = 1
"""
_COPY_ONE = f"""
INSERT INTO order_event (order_id, version, type, user_id, data, actor, trace_parent, created_at)
SELECT {NEW_ORDER_ID}, 1, type, user_id, data, actor, trace_parent, now()
FROM order_event WHERE order_id = %s AND version = 1
RETURNING order_id
"""
WAKE_UP = "NOTIFY order_log"
"""What every writer of the log sends after its COMMIT."""
_POSITION = "SELECT tx::text, event_id FROM reader_position WHERE reader = 'outbox-relay'"
_END = "SELECT tx::text, id FROM order_event ORDER BY order_event.tx DESC, id DESC LIMIT 1"

Position = list[tuple[object, ...]]


def place_example(system: System) -> str:
    """Places an order whose events can be copied, and waits until the relay has published them; its id."""
    [customer], [product] = system.new_customers(1), system.new_products(1)
    order = system.place(system.token(customer), product)
    system.await_processing(order)
    await_relay(system, end_of_log(system))
    return order


def copy_event(system: System, example: str, count: int) -> None:
    """Appends `count` copies of the first event of an order, each for a new order, some hundreds a commit."""
    for done in range(0, count, EVENTS_A_COMMIT):
        system.postgres.execute(_COPY, [min(EVENTS_A_COMMIT, count - done), example])


def append_event(system: System, example: str) -> str:
    """Appends one copy and wakes the relay, as every writer of the log does; the id of its order."""
    [(order,)] = system.rows(_COPY_ONE, example)
    system.postgres.execute(WAKE_UP)
    return str(order)


def remote_job(system: System, example: str, count: int, rate: float) -> Job:
    """The same for a writer elsewhere: so many copies, at so many a second."""
    statement = _COPY_ONE.replace("%s", f"'{example}'")
    return Job(system.stack.env["DATABASE_URL"], statement, WAKE_UP, count, rate)


def end_of_log(system: System) -> Position:
    """The position of the last event."""
    return system.rows(_END)


def await_relay(system: System, position: Position) -> float:
    """Waits until the relay has stored this position; returns the time."""
    return wait_until(lambda: system.rows(_POSITION) == position, "every event is published", 60)


def await_leader(system: System) -> str:
    """Waits until a relay leads; returns the name of its process."""
    wait_until(lambda: _leaders(system), "a relay leads")
    return next(iter(_leaders(system)))


@contextmanager
def standby(system: System) -> Iterator[None]:
    """Runs a second relay beside the first; afterwards waits until the one that is left leads."""
    name = system.add_worker(RELAY, 2)
    wait_until(lambda: system.has_heartbeat(name), "the standby works")
    yield
    system.stack.remove(name)
    await_leader(system)


def _leaders(system: System) -> list[str]:
    """The relay whose session holds the lock, found by the port of its connection; none while none does."""
    ports = {port for (port,) in system.rows(LEADING_PORT)}
    return [name for name in system.stack.processes if is_connected_from(system.stack.pid(name), ports)]
