"""The system under test: a whole stack, and access to it for the load, the faults and the laws."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import psycopg
from pymongo import MongoClient
from pymongo.collection import Collection

from devtools.driver.gateway import GatewayBooks
from devtools.driver.inbox import Inbox
from devtools.driver.shop import Caller, Shop, eventually
from devtools.faults.broker import Broker
from devtools.stack.kafka import kafka_cluster
from devtools.stack.leading_relay import LEADING_PORT, is_connected_from
from devtools.stack.ports import Ports, free_ports
from devtools.stack.processes import worker_process
from devtools.stack.server import Server
from devtools.stack.servers import MAIL, start_all
from devtools.stack.spawn import PROJECT
from devtools.stack.stack import Stack, embedded_stack
from kafka_workers.workers import RELAY, STOCK_WATCH, WORKERS, Worker

CUSTOMERS = 4
INSTANCES = 2
REPLAY_EVENTS = "100000"

Document = dict[str, Any]


class Misbehaved(Exception):
    """Under a fault the system did what it must not do, or left undone what it must do."""


class System:
    """The running system under test. `brokers` are its Kafka servers; its customers serve every run.

    `sockets` is the port on which customers reach the sockets, if it is not the stack's own.
    """

    counts: ClassVar[Mapping[str, int]] = dict.fromkeys((worker.name for worker in WORKERS), INSTANCES)
    """How many processes of each worker run."""
    finish_seconds: ClassVar[float] = 60.0
    """How soon after the end of the load all work must be finished."""
    renew_after_seconds: ClassVar[float] = 240.0
    """The life of an access token is longer than this time and a run together."""

    def __init__(self, stack: Stack, brokers: Sequence[Server], *, sockets: int | None = None) -> None:
        self.stack = stack
        self.brokers = brokers
        address = f"ws://{stack.settings.host}:{sockets or stack.settings.ports.sockets}"
        self.shop = Shop(stack.urls["web"], address, stack.env["SERVICE_API_KEY"])
        self.broker = Broker(stack.env["KAFKA_BROKERS"])
        self.books = GatewayBooks(stack.env["STRIPE_API_BASE"], stack.env["STRIPE_SECRET_KEY"])
        self.inbox = Inbox(stack.servers[MAIL].page)
        self.customers = [self.shop.new_customer() for _ in range(CUSTOMERS)]
        self.prober = self.shop.new_customer()
        self.want_mail = [self.customers[0], self.prober]
        for customer in self.customers[1:]:
            answer = customer.call("PATCH", "auth/me/", json={"mailNotifications": False})
            assert answer.status_code == 200, answer.text
        self._renewed_at = time.monotonic()

    @property
    def servers(self) -> set[Server]:
        """All servers that the system uses."""
        return {*self.brokers, *self.stack.servers.values()}

    def instances(self, worker: str) -> list[str]:
        """The names of the processes of one kind that run now."""
        return [name for name in self.stack.processes if name.rpartition("-")[0] == worker or name == worker]

    def active_relay(self) -> str:
        """The name of the relay whose session holds the advisory lock."""
        relays = self.instances(RELAY.name)
        return eventually(lambda: next(filter(self._leads, relays), ""), "a relay that leads")

    def _leads(self, relay: str) -> bool:
        ports = {port for (port,) in self.rows(LEADING_PORT)}
        return is_connected_from(self.stack.pid(relay), ports)

    def active_stock_watch(self) -> str:
        """The name of the stock watch that holds the lead."""
        return eventually(self._leading_stock_watch, "a stock watch that leads")

    def _leading_stock_watch(self) -> str:
        watches = {str(self.stack.pid(name)): name for name in self.instances(STOCK_WATCH.name)}
        holders = [each["holder"] for each in self.documents("stock_watch", {"holder": {"$exists": True}})]
        return next((watches[pid] for holder in holders if (pid := holder.split("/")[1]) in watches), "")

    def renew_tokens(self) -> None:
        """Gives every caller a new access token before the old ones expire."""
        if time.monotonic() - self._renewed_at > self.renew_after_seconds:
            for caller in self.callers:
                caller.renew()
            self._renewed_at = time.monotonic()

    @property
    def callers(self) -> list[Caller]:
        """All customers and the staff member, each with an access token."""
        return [*self.customers, self.prober, self.shop.staff]

    def remove_workers(self, *workers: Worker) -> None:
        """Ends all processes of these workers cleanly."""
        for worker in workers:
            for name in self.instances(worker.name):
                self.stack.remove(name)

    def restore_workers(self) -> None:
        """Starts and ends workers until the initial ones run again."""
        for worker in WORKERS:
            wanted = {f"{worker.name}-{number}" for number in range(1, self.counts[worker.name] + 1)}
            running = set(self.instances(worker.name))
            for name in sorted(running - wanted):
                self.stack.remove(name)
            for name in sorted(wanted - running):
                self.stack.add(worker_process(worker, int(name.rpartition("-")[2])))

    def heal(self) -> None:
        """Starts or resumes all that a fault which failed half-way has left stopped."""
        for server in self.servers:
            server.resume()
            if server.pid is None:
                server.start()
        for name in self.stack.processes:
            self.stack.resume(name)
        self.restore_workers()

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows that PostgreSQL returns for this statement."""
        with psycopg.connect(self.stack.env["DATABASE_URL"], autocommit=True) as connection:
            return connection.execute(sql, parameters).fetchall()

    @contextmanager
    def collection(self, name: str) -> Iterator[Collection[Document]]:
        """A collection in MongoDB, as any program with access to it sees it."""
        with MongoClient[Document](self.stack.env["MONGODB_URI"]) as client:
            yield client.get_default_database()[name]

    def documents(self, collection: str, query: Document) -> list[Document]:
        """The documents of a collection that match the query."""
        with self.collection(collection) as documents:
            return list(documents.find(query))

    def manage(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs a management command of the system with these variables; the caller looks at the exit code."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=self.stack.env | variables,
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
def open_system(directory: Path, *, brokers: int = 1) -> Iterator[System]:
    """A system of its own in this directory, on `brokers` brokers, started and in the end stopped."""
    cluster = kafka_cluster(directory / "cluster", free_ports(brokers)) if brokers > 1 else []
    stack = embedded_stack(
        directory / "stack",
        ports=Ports.free(),
        caller=_settings(cluster),
        counts=System.counts,
    )
    try:
        start_all(cluster)
        stack.start(demo=True)
        system = System(stack, cluster or [stack.servers["kafka"]])
        with closing(system.shop.http), closing(system.books), closing(system.inbox):
            yield system
    finally:
        stack.stop()
        for broker in cluster:  # one after another: two brokers that stop together leave no controller quorum
            broker.stop()


def _settings(cluster: Sequence[Server]) -> dict[str, str]:
    # A fast machine places so many orders during a restart that a socket would be told to load them anew.
    settings = {"SOCKET_REPLAY_EVENTS": REPLAY_EVENTS}
    if not cluster:
        return settings
    addresses = ",".join(broker.url for broker in cluster)
    return {**settings, "KAFKA_BROKERS": addresses, "KAFKA_REPLICATION_FACTOR": str(len(cluster))}


def sleep_between(rng: random.Random, least: float, most: float) -> None:
    """Waits for a random time, which the seed decides, while the load continues."""
    time.sleep(rng.uniform(least, most))
