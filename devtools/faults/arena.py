"""A whole system to be struck, and the ways in for those who look on from outside."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
from pymongo import MongoClient

from devtools.driver.shop import Caller, Shop, eventually
from devtools.faults.broker import Broker
from devtools.stack.kafka import kafka_cluster
from devtools.stack.ports import Ports, free_ports
from devtools.stack.processes import worker_process
from devtools.stack.server import Server
from devtools.stack.servers import start_all
from devtools.stack.spawn import PROJECT
from devtools.stack.stack import Stack, embedded_stack
from kafka_workers.workers import RELAY, WORKERS, Worker

CUSTOMERS = 4
INSTANCES = 2
# A token outlives a run of this many seconds by far.
_RENEW_AFTER_SECONDS = 240.0

# The form of an advisory lock that has two numbers, which only the relay takes.
_LEADER = """
SELECT client_port FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND objsubid = 2 AND granted
"""

Document = dict[str, Any]


class Arena:
    """The running system. `brokers` are its Kafka servers; customers stay the same from run to run."""

    def __init__(self, stack: Stack, brokers: Sequence[Server]) -> None:
        self.stack = stack
        self.brokers = brokers
        sockets = f"ws://{stack.settings.host}:{stack.settings.ports.sockets}"
        self.shop = Shop(stack.urls["web"], sockets, stack.env["SERVICE_API_KEY"])
        self.broker = Broker(stack.env["KAFKA_BROKERS"])
        self.customers = [self.shop.new_customer() for _ in range(CUSTOMERS)]
        self.prober = self.shop.new_customer()
        self._renewed_at = time.monotonic()

    def instances(self, worker: str) -> list[str]:
        """The names of the processes of one kind that run now."""
        return [name for name in self.stack.processes if name.rpartition("-")[0] == worker or name == worker]

    def active_relay(self) -> str:
        """The name of the relay whose session holds the advisory lock."""
        relays = self.instances(RELAY.name)
        return eventually(lambda: next(filter(self._leads, relays), ""), "a relay that leads")

    def _leads(self, relay: str) -> bool:
        pid, ports = self.stack.pid(relay), {port for (port,) in self.rows(_LEADER)}
        try:
            connections = psutil.Process(pid).net_connections() if pid else []
        except psutil.NoSuchProcess:
            return False
        return any(each.laddr.port in ports for each in connections)

    def renew_tokens(self) -> None:
        """Gives everybody a new access token before the old ones expire."""
        if time.monotonic() - self._renewed_at > _RENEW_AFTER_SECONDS:
            for caller in self.everybody:
                caller.renew()
            self._renewed_at = time.monotonic()

    @property
    def everybody(self) -> list[Caller]:
        """All who hold a token."""
        return [*self.customers, self.prober, self.shop.staff]

    def remove_workers(self, *workers: Worker) -> None:
        """Ends all processes of these workers cleanly."""
        for worker in workers:
            for name in self.instances(worker.name):
                self.stack.remove(name)

    def restore_workers(self) -> None:
        """Brings the workers back to those that there were in the beginning."""
        for worker in WORKERS:
            wanted = {f"{worker.name}-{number}" for number in range(1, INSTANCES + 1)}
            running = set(self.instances(worker.name))
            for name in sorted(running - wanted):
                self.stack.remove(name)
            for name in sorted(wanted - running):
                self.stack.add(worker_process(worker, int(name.rpartition("-")[2])))

    def heal(self) -> None:
        """Brings back whatever a strike that failed half-way has left in pieces."""
        for server in {*self.brokers, *self.stack.servers.values()}:
            server.resume()
            if server.pid is None:
                server.start()
        for name in self.stack.processes:
            self.stack.resume(name)
        self.restore_workers()

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What PostgreSQL answers."""
        with psycopg.connect(self.stack.env["DATABASE_URL"], autocommit=True) as connection:
            return connection.execute(sql, parameters).fetchall()

    def documents(self, collection: str, query: Document) -> list[Document]:
        """What MongoDB holds."""
        with MongoClient[Document](self.stack.env["MONGODB_URI"]) as client:
            return list(client.get_default_database()[collection].find(query))

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a management command of the system; the caller looks at the exit code."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=self.stack.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def await_death(self, pids: dict[str, int | None], seconds: float) -> list[str]:
        """Those of these processes that still run, with the same pid, after at most `seconds`."""
        end = time.monotonic() + seconds
        while alive := [name for name, pid in pids.items() if pid and self.stack.pid(name) == pid]:
            if time.monotonic() > end:
                break
            time.sleep(0.02)
        return alive


@contextmanager
def open_arena(directory: Path, *, brokers: int = 1) -> Iterator[Arena]:
    """A system of its own in this directory, on `brokers` brokers, started and in the end stopped."""
    cluster = kafka_cluster(directory / "cluster", free_ports(brokers)) if brokers > 1 else []
    stack = embedded_stack(
        directory / "stack",
        ports=Ports.free(),
        caller=_settings(cluster),
        counts=dict.fromkeys((worker.name for worker in WORKERS), INSTANCES),
    )
    try:
        start_all(cluster)
        stack.start(demo=True)
        arena = Arena(stack, cluster or [stack.servers["kafka"]])
        with closing(arena.shop.http):
            yield arena
    finally:
        stack.stop()
        for broker in cluster:  # one after another: the last two cannot both leave in peace
            broker.stop()


def _settings(cluster: Sequence[Server]) -> dict[str, str]:
    if not cluster:
        return {}
    addresses = ",".join(broker.url for broker in cluster)
    return {"KAFKA_BROKERS": addresses, "KAFKA_REPLICATION_FACTOR": str(len(cluster))}


def sleep_between(rng: random.Random, least: float, most: float) -> None:
    """Lets the load go on for a random time: when a strike comes is what the seed decides."""
    time.sleep(rng.uniform(least, most))
