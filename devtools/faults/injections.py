"""What the faults do to the system; each function does its harm once, and ends it."""

import random
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import psutil

from devtools.faults.broker import TOPICS
from devtools.faults.system import INSTANCES, Misbehaved, System, sleep_between
from devtools.stack.processes import worker_process
from devtools.stack.server import Server
from devtools.stack.spawn import PROJECT
from kafka_workers.workers import ANALYTICS, CONSUMERS, GROUPS, RELAY, STOCK_WATCH, WORKERS, Worker

# Longer than a consumer's session in its group (1.5 s), the relay's idle session in PostgreSQL (12 s), and
# the lease of the stock watch in MongoDB (10 s).
_FROZEN_CONSUMER_SECONDS, _FROZEN_LEADER_SECONDS = 6.0, 14.0
_LED: dict[Worker, Callable[[System], str]] = {
    RELAY: System.active_relay,
    STOCK_WATCH: System.active_stock_watch,
}
_POINT_SECONDS, _REBALANCES = 30.0, 5
_MOVED_CLOCK = PROJECT / "devtools" / "faults" / "moved_clock"
_LARGEST_MOVE_SECONDS = 7200


class FaultNotInjected(Exception):
    """A fault did not happen, so the run proves nothing."""


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
    if worker is STOCK_WATCH:
        # Its successor may be the process that replaces it: the other one would never reach the point.
        for name in instances[1:]:
            system.stack.remove(name)
        instances = instances[:1]
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
    leader = _LED.get(worker)
    name = leader(system) if leader else rng.choice(system.instances(worker.name))
    system.stack.pause(name)
    time.sleep(_FROZEN_LEADER_SECONDS if leader else _FROZEN_CONSUMER_SECONDS)
    system.stack.resume(name)


def kill_servers(names: Sequence[str], seconds: float, system: System, rng: random.Random) -> None:
    """SIGKILL for servers, which are started again after `seconds`."""
    servers = [_server(name, system, rng) for name in names]
    for server in servers:
        server.kill()
    time.sleep(seconds)
    for server in servers:
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


def rebuild_figures(system: System, rng: random.Random) -> None:
    """The figures of analytics are made anew: a first try is killed, and a worker during the second."""
    point = rng.choice(("in-rebuild", "before-switch-committed"))
    killed = system.manage("rebuild_analytics", KILL_AT=point)
    if killed.returncode != -signal.SIGKILL:
        raise FaultNotInjected(f"rebuild_analytics did not reach {point}: {killed.stdout}{killed.stderr}")
    system.stack.kill(rng.choice(system.instances(ANALYTICS.name)))
    done = system.manage("rebuild_analytics")
    if done.returncode != 0:
        raise Misbehaved(f"rebuild_analytics ended with {done.stdout}{done.stderr}")


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
