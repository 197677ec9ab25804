"""The table of faults that the suite injects while the system is in use.

`inject` does the harm once and ends it: when it returns, every process runs or the supervisor is starting it.
`prepare`, where a fault has one, runs before the load.
"""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import psutil

from devtools.faults import hostile_neighbours
from devtools.faults.broker import TOPICS
from devtools.faults.forged_answers import forge_answers
from devtools.faults.poisoned_catalogue import poison
from devtools.faults.silent_callers import hold_connections
from devtools.faults.system import INSTANCES, System, sleep_between
from devtools.stack.processes import worker_process
from devtools.stack.server import Server
from devtools.stack.spawn import PROJECT
from kafka_workers.workers import CONSUMERS, GROUPS, RELAY, WORKERS, Worker

Inject = Callable[[System, random.Random], None]

DOWN_SECONDS = 10.0
LONG_DOWN_SECONDS = 100.0
# Longer than a consumer's session in its group (1.5 s), and the relay's idle session in PostgreSQL (12 s).
_FROZEN_CONSUMER_SECONDS, _FROZEN_RELAY_SECONDS = 6.0, 14.0
_POINT_SECONDS, _REBALANCES = 30.0, 5
_MOVED_CLOCK = PROJECT / "devtools" / "faults" / "moved_clock"
_LARGEST_MOVE_SECONDS = 7200


class FaultNotInjected(Exception):
    """A fault did not happen, so the run proves nothing."""


@dataclass(frozen=True)
class Fault:
    """One kind of fault: its name, and a sentence that says what happens.

    `spares_clients`: it ends nothing, so that every client must be answered at the first attempt.
    """

    name: str
    sentence: str
    inject: Inject
    prepare: Callable[[System], None] | None = None
    brokers: int = 1
    spares_clients: bool = False


def kill(part: str, system: System, rng: random.Random) -> None:
    """SIGKILL for some or all processes of one kind."""
    instances = system.instances(part)
    for name in rng.sample(instances, rng.randint(1, len(instances))):
        system.stack.kill(name)


def kill_web_worker(system: System, rng: random.Random) -> None:
    """SIGKILL for one of the processes that answer HTTP."""
    pid = system.stack.pid("web")
    children = psutil.Process(pid).children() if pid else []
    if children:
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            rng.choice(children).kill()


def kill_at(worker: Worker, point: str, system: System, rng: random.Random) -> None:
    """SIGKILL for some or all processes of a worker, when each reaches the point for the 1st or 2nd time."""
    instances = system.instances(worker.name)
    # Only the leader works: all relays get the kill point, so the standby that takes over dies too.
    count = len(instances) if worker is RELAY else rng.randint(1, len(instances))
    chosen = rng.sample(instances, count)
    for name in chosen:
        system.stack.restart(name, {"KILL_AT": f"{point}:{rng.randint(1, 2)}"})
    pids = {name: system.stack.pid(name) for name in chosen}
    if alive := system.await_death(pids, _POINT_SECONDS):
        raise FaultNotInjected(f"{alive} did not reach {point} in {_POINT_SECONDS:.0f} s")


def kill_in_rebalance(worker: Worker, system: System, rng: random.Random) -> None:
    """SIGKILL for a consumer while it gives up partitions to a consumer that joins its group."""
    victim = rng.choice(system.instances(worker.name))
    system.stack.restart(victim, {"KILL_AT": "in-rebalance"})
    pids = {victim: system.stack.pid(victim)}
    newcomer = worker_process(worker, INSTANCES + 1)
    for _ in range(_REBALANCES):
        sleep_between(rng, 1.0, 2.0)
        system.stack.add(newcomer)
        alive = system.await_death(pids, _POINT_SECONDS / _REBALANCES)
        system.stack.remove(newcomer.name)
        if not alive:
            return
    raise FaultNotInjected(f"{victim} gave up no partition in {_REBALANCES} rebalances")


def kill_while_others_join_and_leave(system: System, rng: random.Random) -> None:
    """SIGKILL for a consumer while another joins its group, and again while that one leaves."""
    worker = rng.choice(CONSUMERS)
    victims = system.instances(worker.name)
    newcomer = worker_process(worker, INSTANCES + 1)
    system.stack.add(newcomer)
    sleep_between(rng, 0.5, 2.5)
    system.stack.kill(rng.choice(victims))
    sleep_between(rng, 0.5, 2.0)
    system.stack.kill(rng.choice(victims))
    system.stack.remove(newcomer.name)


def join_and_leave(system: System, rng: random.Random) -> None:
    """Each kind of consumer goes from two workers to one, to three, and back."""
    for worker in CONSUMERS:
        system.stack.remove(f"{worker.name}-1")
        sleep_between(rng, 0.2, 1.0)
        for number in (1, INSTANCES + 1):
            system.stack.add(worker_process(worker, number))
        sleep_between(rng, 1.0, 3.0)
        system.stack.remove(f"{worker.name}-{INSTANCES + 1}")


def freeze(worker: Worker, system: System, rng: random.Random) -> None:
    """SIGSTOP until other processes have taken over, then SIGCONT: the frozen one must lose its batch."""
    name = system.active_relay() if worker is RELAY else rng.choice(system.instances(worker.name))
    system.stack.pause(name)
    time.sleep(_FROZEN_RELAY_SECONDS if worker is RELAY else _FROZEN_CONSUMER_SECONDS)
    system.stack.resume(name)


def kill_server(name: str, seconds: float, system: System, rng: random.Random) -> None:
    """SIGKILL for a server, which is started again after `seconds`."""
    server = _server(name, system, rng)
    server.kill()
    time.sleep(seconds)
    server.start()


def restart_server(name: str, system: System, rng: random.Random) -> None:
    """A server is shut down and started again."""
    server = _server(name, system, rng)
    server.stop()
    server.start()


def _server(name: str, system: System, rng: random.Random) -> Server:
    return rng.choice(system.brokers) if name == "kafka" else system.stack.servers[name]


def move_clock(system: System, rng: random.Random) -> None:
    """A worker's clock jumps by up to two hours, forward or back, while it works."""
    name = rng.choice([name for worker in WORKERS for name in system.instances(worker.name)])
    seconds = rng.randint(-_LARGEST_MOVE_SECONDS, _LARGEST_MOVE_SECONDS)
    system.stack.restart(name, {"PYTHONPATH": str(_MOVED_CLOCK), "MOVE_CLOCK_SECONDS": str(seconds)})
    sleep_between(rng, 3.0, 5.0)
    system.stack.restart(name)


def delete_groups(system: System) -> None:
    """Removes the consumers and deletes their groups, as if no consumer had ever started."""
    system.remove_workers(*CONSUMERS)
    for group in GROUPS:
        system.broker.delete_group(group)


def start_groups(system: System, _: random.Random) -> None:
    """The groups' first members start, and read the messages that were sent before."""
    system.restore_workers()


def delete_topics(system: System) -> None:
    """Deletes the topics and starts the workers without them."""
    system.remove_workers(*WORKERS)
    system.broker.delete_topics(TOPICS)
    for group in GROUPS:
        system.broker.delete_group(group)
    system.restore_workers()


def create_topics(system: System, rng: random.Random) -> None:
    """Creates the topics while the workers run."""
    sleep_between(rng, 1.0, 3.0)
    done = system.manage("create_topics")
    assert done.returncode == 0, done.stderr


def _kills() -> list[Fault]:
    parts = {
        "web": "the web server",
        "sockets": "the socket server",
        **{worker.name: f"{worker.name} workers" for worker in WORKERS},
    }
    return [
        *(
            Fault(f"kill-{part}", f"kill -9 of {what}, at random", partial(kill, part))
            for part, what in parts.items()
        ),
        Fault("kill-web-worker", "kill -9 of one process that answers HTTP", kill_web_worker),
    ]


def kills_at_kill_points() -> list[Fault]:
    """A fault for each worker and each of its kill points."""
    return [
        *(
            Fault(
                f"{worker.name}-{point.name}",
                f"kill -9 of {worker.name} workers {point.state}",
                partial(kill_at, worker, point.name),
            )
            for worker in WORKERS
            for point in worker.kill_points
        ),
        *(
            Fault(
                f"{consumer.name}-in-rebalance",
                f"kill -9 of one {consumer.name} worker in the middle of a rebalance",
                partial(kill_in_rebalance, consumer),
            )
            for consumer in CONSUMERS
        ),
    ]


def _freezes() -> list[Fault]:
    return [
        Fault(
            f"freeze-{worker.name}",
            f"SIGSTOP of one {worker.name} worker until others have taken over, then SIGCONT",
            partial(freeze, worker),
        )
        for worker in WORKERS
    ]


def _outages(down: float) -> list[Fault]:
    outage = f"kill -9, back after {down:.0f} s"
    return [
        Fault("kafka-down", f"Kafka: {outage}", partial(kill_server, "kafka", down)),
        Fault("mongodb-down", f"MongoDB: {outage}", partial(kill_server, "mongodb", down)),
        Fault("postgres-down", f"PostgreSQL: {outage}", partial(kill_server, "postgres", down)),
        Fault("postgres-restart", "PostgreSQL is restarted", partial(restart_server, "postgres")),
        Fault(
            "one-broker-of-three",
            f"three brokers, one of them: {outage}",
            partial(kill_server, "kafka", down),
            brokers=3,
        ),
    ]


def all_faults(*, down: float = DOWN_SECONDS) -> dict[str, Fault]:
    """Every fault by its name; servers stay down for `down` seconds."""
    faults = [
        *_kills(),
        *kills_at_kill_points(),
        Fault(
            "kill-while-others-join",
            "kill -9 of a consumer while others join and leave its group",
            kill_while_others_join_and_leave,
        ),
        Fault("come-and-go", "consumers join and leave: two, one, three, two", join_and_leave),
        *_freezes(),
        *_outages(down),
        Fault(
            "forged-answers",
            "a program on the broker forges answers about stock, before and after the true ones",
            forge_answers,
        ),
        Fault(
            "poisoned-catalogue",
            "documents that cannot be sold are written into the catalogue, and ordered",
            poison,
            spares_clients=True,
        ),
        Fault(
            "half-sent-bodies",
            "hundreds of connections with half a request or nothing, held beside the load",
            hold_connections,
            spares_clients=True,
        ),
        Fault("moved-clock", "a worker's clock jumps by up to two hours, forward or back", move_clock),
        Fault(
            "hostile-neighbours",
            "forged records in every topic, transactions left open on broker and cluster",
            hostile_neighbours.disturb,
        ),
        Fault(
            "first-start", "groups start for the first time, after the messages", start_groups, delete_groups
        ),
        Fault(
            "late-topics", "topics are created after every worker has started", create_topics, delete_topics
        ),
    ]
    return {fault.name: fault for fault in faults}
