"""What is done to the system while it is in use: one table, each entry one kind of strike.

`hit` strikes once and heals: when it returns, everything is running again or being started by the supervisor.
`prepare`, where there is one, comes before the load.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import psutil

from devtools.faults.arena import INSTANCES, Arena, sleep_between
from devtools.faults.broker import TOPICS
from devtools.stack.processes import worker_process
from devtools.stack.server import Server
from devtools.stack.spawn import PROJECT
from kafka_workers.workers import CONSUMERS, GROUPS, RELAY, WORKERS, Worker

Hit = Callable[[Arena, random.Random], None]

DOWN_SECONDS = 10.0
LONG_DOWN_SECONDS = 100.0
# Longer than a consumer's session in its group (3 s), and the relay's idle session in PostgreSQL (12 s).
_FROZEN_CONSUMER_SECONDS, _FROZEN_RELAY_SECONDS = 6.0, 14.0
_POINT_SECONDS, _REBALANCES = 30.0, 5
_MOVED_CLOCK = PROJECT / "devtools" / "faults" / "moved_clock"
_LARGEST_MOVE_SECONDS = 7200


class StrikeMissed(Exception):
    """A strike that did not happen, so that the run proves nothing."""


@dataclass(frozen=True)
class Strike:
    """One kind of strike: its name, and a sentence that says what happens."""

    name: str
    sentence: str
    hit: Hit
    prepare: Callable[[Arena], None] | None = None
    brokers: int = 1


def kill(part: str, arena: Arena, rng: random.Random) -> None:
    """SIGKILL for some or all processes of one kind."""
    instances = arena.instances(part)
    for name in rng.sample(instances, rng.randint(1, len(instances))):
        arena.stack.kill(name)


def kill_web_worker(arena: Arena, rng: random.Random) -> None:
    """SIGKILL for one of the processes that answer HTTP."""
    pid = arena.stack.pid("web")
    children = psutil.Process(pid).children() if pid else []
    if children:
        rng.choice(children).kill()


def kill_at(worker: Worker, point: str, arena: Arena, rng: random.Random) -> None:
    """Some or all die at the point, the first or second time that they get there."""
    instances = arena.instances(worker.name)
    # Of the relays only one works: with all of them struck, the one that takes over dies too.
    count = len(instances) if worker is RELAY else rng.randint(1, len(instances))
    struck = rng.sample(instances, count)
    for name in struck:
        arena.stack.restart(name, {"KILL_AT": f"{point}:{rng.randint(1, 2)}"})
    armed = {name: arena.stack.pid(name) for name in struck}
    if alive := arena.await_death(armed, _POINT_SECONDS):
        raise StrikeMissed(f"{alive} did not get to {point} in {_POINT_SECONDS:.0f} s")


def kill_in_rebalance(worker: Worker, arena: Arena, rng: random.Random) -> None:
    """A consumer dies while it gives up partitions to one that joins."""
    victim = rng.choice(arena.instances(worker.name))
    arena.stack.restart(victim, {"KILL_AT": "in-rebalance"})
    armed = {victim: arena.stack.pid(victim)}
    newcomer = worker_process(worker, INSTANCES + 1)
    for _ in range(_REBALANCES):
        sleep_between(rng, 1.0, 2.0)
        arena.stack.add(newcomer)
        alive = arena.await_death(armed, _POINT_SECONDS / _REBALANCES)
        arena.stack.remove(newcomer.name)
        if not alive:
            return
    raise StrikeMissed(f"{victim} did not have to give up anything in {_REBALANCES} rebalances")


def kill_while_others_come_and_go(arena: Arena, rng: random.Random) -> None:
    """A consumer is killed while another joins its group, and again while that one leaves."""
    worker = rng.choice(CONSUMERS)
    victims = arena.instances(worker.name)
    newcomer = worker_process(worker, INSTANCES + 1)
    arena.stack.add(newcomer)
    sleep_between(rng, 0.5, 2.5)
    arena.stack.kill(rng.choice(victims))
    sleep_between(rng, 0.5, 2.0)
    arena.stack.kill(rng.choice(victims))
    arena.stack.remove(newcomer.name)


def come_and_go(arena: Arena, rng: random.Random) -> None:
    """Each kind of consumer goes from two workers to one, to three, and back."""
    for worker in CONSUMERS:
        arena.stack.remove(f"{worker.name}-1")
        sleep_between(rng, 0.2, 1.0)
        for number in (1, INSTANCES + 1):
            arena.stack.add(worker_process(worker, number))
        sleep_between(rng, 1.0, 3.0)
        arena.stack.remove(f"{worker.name}-{INSTANCES + 1}")


def freeze(worker: Worker, arena: Arena, rng: random.Random) -> None:
    """SIGSTOP until the others have taken over, then SIGCONT: it must not finish what it had in hand."""
    name = arena.active_relay() if worker is RELAY else rng.choice(arena.instances(worker.name))
    arena.stack.pause(name)
    time.sleep(_FROZEN_RELAY_SECONDS if worker is RELAY else _FROZEN_CONSUMER_SECONDS)
    arena.stack.resume(name)


def kill_server(name: str, seconds: float, arena: Arena, rng: random.Random) -> None:
    """A server dies at once and comes back after a while."""
    server = _server(name, arena, rng)
    server.kill()
    time.sleep(seconds)
    server.start()


def restart_server(name: str, arena: Arena, rng: random.Random) -> None:
    """A server is shut down and started again."""
    server = _server(name, arena, rng)
    server.stop()
    server.start()


def _server(name: str, arena: Arena, rng: random.Random) -> Server:
    return rng.choice(arena.brokers) if name == "kafka" else arena.stack.servers[name]


def move_clock(arena: Arena, rng: random.Random) -> None:
    """A worker's clock jumps by up to two hours, forth or back, while it works."""
    name = rng.choice([name for worker in WORKERS for name in arena.instances(worker.name)])
    moved = rng.randint(-_LARGEST_MOVE_SECONDS, _LARGEST_MOVE_SECONDS)
    arena.stack.restart(name, {"PYTHONPATH": str(_MOVED_CLOCK), "MOVE_CLOCK_SECONDS": str(moved)})
    sleep_between(rng, 3.0, 5.0)
    arena.stack.restart(name)


def forget_groups(arena: Arena) -> None:
    """The groups become ones that never were, without members."""
    arena.remove_workers(*CONSUMERS)
    for group in GROUPS:
        arena.broker.forget_group(group)


def start_groups(arena: Arena, _: random.Random) -> None:
    """The groups' first members start; what was sent before is there for them."""
    arena.restore_workers()


def delete_topics(arena: Arena) -> None:
    """The topics go, and then the workers start."""
    arena.remove_workers(*WORKERS)
    arena.broker.delete_topics(TOPICS)
    for group in GROUPS:
        arena.broker.forget_group(group)
    arena.restore_workers()


def create_topics(arena: Arena, rng: random.Random) -> None:
    """The topics come while everything runs."""
    sleep_between(rng, 1.0, 3.0)
    done = arena.manage("create_topics")
    assert done.returncode == 0, done.stderr


def _kills() -> list[Strike]:
    parts = {
        "web": "the web server",
        "sockets": "the socket server",
        **{worker.name: f"{worker.name} workers" for worker in WORKERS},
    }
    return [
        *(
            Strike(f"kill-{part}", f"kill -9 of {what}, at random", partial(kill, part))
            for part, what in parts.items()
        ),
        Strike("kill-web-worker", "kill -9 of one process that answers HTTP", kill_web_worker),
    ]


def kills_at_points() -> list[Strike]:
    """A strike for each worker and each named point that it passes."""
    return [
        *(
            Strike(
                f"{worker.name}-{point.name}",
                f"kill -9 of {worker.name} workers {point.state}",
                partial(kill_at, worker, point.name),
            )
            for worker in WORKERS
            for point in worker.kill_points
        ),
        *(
            Strike(
                f"{consumer.name}-in-rebalance",
                f"kill -9 of one {consumer.name} worker in the middle of a rebalance",
                partial(kill_in_rebalance, consumer),
            )
            for consumer in CONSUMERS
        ),
    ]


def _freezes() -> list[Strike]:
    return [
        Strike(
            f"freeze-{worker.name}",
            f"SIGSTOP of a {worker.name} worker until it is out, then SIGCONT",
            partial(freeze, worker),
        )
        for worker in WORKERS
    ]


def _outages(down: float) -> list[Strike]:
    away = f"kill -9, back after {down:.0f} s"
    return [
        Strike("kafka-down", f"Kafka: {away}", partial(kill_server, "kafka", down)),
        Strike("mongodb-down", f"MongoDB: {away}", partial(kill_server, "mongodb", down)),
        Strike("postgres-down", f"PostgreSQL: {away}", partial(kill_server, "postgres", down)),
        Strike("postgres-restart", "PostgreSQL is restarted", partial(restart_server, "postgres")),
        Strike(
            "one-broker-of-three",
            f"three brokers, one of them: {away}",
            partial(kill_server, "kafka", down),
            brokers=3,
        ),
    ]


def all_strikes(*, down: float = DOWN_SECONDS) -> dict[str, Strike]:
    """Every strike by its name; servers stay away for `down` seconds."""
    strikes = [
        *_kills(),
        *kills_at_points(),
        Strike(
            "kill-while-others-join",
            "kill -9 of a consumer while others join and leave its group",
            kill_while_others_come_and_go,
        ),
        Strike("come-and-go", "consumers join and leave: two, one, three, two", come_and_go),
        *_freezes(),
        *_outages(down),
        Strike("moved-clock", "a worker's clock jumps by up to two hours, forth or back", move_clock),
        Strike(
            "first-start", "groups start for the first time, after the messages", start_groups, forget_groups
        ),
        Strike("late-topics", "topics are made after everything has started", create_topics, delete_topics),
    ]
    return {strike.name: strike for strike in strikes}
