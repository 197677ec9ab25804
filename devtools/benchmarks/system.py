"""A whole system to be measured, and access to its servers for counting."""

import json
import shutil
import socket
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import jwt
import psycopg
from bson import Decimal128, ObjectId
from pymongo import MongoClient
from pymongo.database import Database

from devtools.benchmarks.figures import MeasurementFailed
from devtools.benchmarks.load import Plan, Request, request_bytes
from devtools.benchmarks.placing import CASH_ON_DELIVERY, NUMBER, order_body, place_on, placement
from devtools.benchmarks.topics import Topics
from devtools.benchmarks.usage import cpu_seconds, pss
from devtools.benchmarks.waiting import wait_until
from devtools.stack.kafka import KafkaBroker, kafka_cluster
from devtools.stack.ports import Ports, free_ports
from devtools.stack.processes import worker_process
from devtools.stack.servers import MAIL, PAYMENTS, start_all
from devtools.stack.spawn import PROJECT
from devtools.stack.stack import Stack, embedded_stack
from devtools.stack.warmth import has_heartbeat
from kafka_workers.workers import Worker

STOCK = 100_000_000
_TOKEN_SECONDS = 7200

Document = dict[str, Any]


class System:
    """A running stack, with one connection to each of its servers."""

    def __init__(self, stack: Stack, cluster: Sequence[KafkaBroker] = ()) -> None:
        self.stack = stack
        self.postgres = psycopg.connect(stack.env["DATABASE_URL"], autocommit=True)
        self.mongo = MongoClient[Document](stack.env["MONGODB_URI"])
        self.brokers = stack.env["KAFKA_BROKERS"]
        self.topics = Topics(self.brokers)
        self._cluster = cluster

    @property
    def catalogue(self) -> Database[Document]:
        """The products' database."""
        return self.mongo.get_default_database()

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows that PostgreSQL returns for this statement."""
        return self.postgres.execute(sql, parameters).fetchall()

    def new_customers(self, count: int) -> list[int]:
        """Creates users that can place orders, but not sign in with a password; returns their ids."""
        rows = self.rows(
            "INSERT INTO auth_user (username, email, password, first_name, last_name, is_staff, "
            "is_superuser, is_active, date_joined) "
            "SELECT %s || n, '', '!', '', '', false, false, true, now() "
            "FROM generate_series(1, %s) AS n RETURNING id",
            f"bench-{uuid.uuid4().hex[:8]}-",
            count,
        )
        return [user_id for (user_id,) in rows]

    def register(self, password: str = "") -> tuple[str, str]:
        """Registers a customer; returns the address, `<user name>@example.com`, and an access token."""
        name = f"bench-{uuid.uuid4().hex[:12]}"
        body = {"username": name, "email": f"{name}@example.com", "password": password or uuid.uuid4().hex}
        answer = httpx.post(f"{self.stack.urls['web']}/api/v1/auth/register/", json=body, timeout=30)
        if answer.status_code != HTTPStatus.CREATED:
            raise MeasurementFailed(answer.text)
        return body["email"], answer.json()["access"]

    def token(self, user_id: int, *, is_staff: bool = False) -> str:
        """An access token like that of a sign-in, created here so that no password hash is measured."""
        now = int(time.time())
        claims = {
            "token_type": "access",
            "user_id": str(user_id),
            "username": f"bench-{user_id}",
            "is_staff": is_staff,
            "iat": now,
            "exp": now + _TOKEN_SECONDS,
            "jti": uuid.uuid4().hex,
        }
        return jwt.encode(claims, self.stack.env["SECRET_KEY"], algorithm="HS256")

    def new_products(self, count: int, stock: int = STOCK) -> list[str]:
        """Creates products with this stock in MongoDB; returns their ids."""
        now = datetime.now(UTC)
        products: list[Document] = [
            {
                "_id": ObjectId(),
                "name": f"Lantern {number}",
                "description": "",
                "price": Decimal128("10.00"),
                "category": "bench",
                "stock": stock,
                "received": stock,
                "imageUrl": "",
                "sku": uuid.uuid4().hex,
                "brand": "Acme",
                "tags": [],
                "isActive": True,
                "createdAt": now,
                "updatedAt": now,
            }
            for number in range(count)
        ]
        self.catalogue.products.insert_many(products)
        return [str(product["_id"]) for product in products]

    def taken(self, products: Iterable[str]) -> int:
        """The held pieces of these products: received minus stock."""
        return sum(product["received"] - product["stock"] for product in self.stock_of(products))

    def stock_of(self, products: Iterable[str]) -> list[Document]:
        """The documents of these products."""
        return list(self.catalogue.products.find({"_id": {"$in": [ObjectId(each) for each in products]}}))

    def memory(self) -> Mapping[str, float]:
        """Memory of each process of the stack in MiB, with its children; PSS, so shared pages count once."""
        return {name: pss(process.pid) for name, process in self.stack.processes.items() if process.pid}

    def cpu_seconds(self) -> Mapping[str, float]:
        """The CPU time that each part of the system has used; a cluster of brokers is one part, `kafka`."""
        parts = {name: self.stack.pid(name) for name in (*self.stack.processes, *self.stack.servers)}
        used = cpu_seconds({name: pid for name, pid in parts.items() if pid})
        if self._cluster:
            brokers = {broker.name: broker.pid for broker in self._cluster}
            used["kafka"] = sum(cpu_seconds({name: pid for name, pid in brokers.items() if pid}).values())
        return used

    def has_heartbeat(self, name: str) -> bool:
        """Whether the running process of this name has given its first heartbeat."""
        pid = self.stack.pid(name)
        return pid is not None and has_heartbeat(self.stack.settings.metrics, pid)

    def keep_only(self, *names: str) -> None:
        """Ends all processes of the stack but these."""
        for name in [name for name in self.stack.processes if name not in names]:
            self.stack.remove(name)

    def add_worker(self, worker: Worker, number: int | None = None) -> str:
        """Starts one process of a worker and returns its name immediately."""
        process = worker_process(worker, number)
        self.stack.add(process)
        return process.name

    def place_plan(
        self,
        tokens: Sequence[str],
        products: Sequence[str],
        *,
        items: int,
        run: str,
        headers: Mapping[str, str] | None = None,
        is_prepaid: bool = False,
        **load: Any,
    ) -> Plan:
        """A plan that places orders of `items` products, with idempotency keys that begin with the run.

        `headers` are added to each request.
        """
        requests = [
            placement(
                tokens[number % len(tokens)],
                [products[(number + step) % len(products)] for step in range(items)],
                key=f"{run}-{NUMBER}",
                headers=headers,
                is_prepaid=is_prepaid,
            )
            for number in range(len(products))
        ]
        return self.plan(requests, status=201, **load)

    def reservations(self, products: Iterable[str], *, run: str) -> list[Request]:
        """Requests that reserve a piece of each of these products, for orders named after the run."""
        headers = {"Authorization": f"Api-Key {self.stack.env['SERVICE_API_KEY']}"}
        body = json.dumps({"quantity": 1, "orderId": f"{run}-{NUMBER}"}).encode()
        return [
            request_bytes(
                "POST", f"/api/v1/products/{product}/reserve/", headers=headers, body=body, number_in=NUMBER
            )
            for product in products
        ]

    def plan(self, requests: list[Request], *, status: int, port: int | None = None, **load: Any) -> Plan:
        """A plan of requests to the web processes, or to others that listen on `port`."""
        settings = self.stack.settings
        return Plan(
            host=settings.host, port=port or settings.ports.web, requests=requests, status=status, **load
        )

    def place(self, token: str, product: str, payment_method: int = CASH_ON_DELIVERY) -> str:
        """Places one order; returns its id. Raises OSError, or MeasurementFailed on any answer but 201."""
        connection = HTTPConnection("127.0.0.1", self.stack.settings.ports.web, timeout=10)
        try:
            return place_on(connection, token, order_body([product], payment_method))
        finally:
            connection.close()

    def await_processing(self, order_id: str, seconds: float = 60) -> None:
        """Waits until this order is Processing. Raises MeasurementFailed."""
        self.await_status(order_id, 2, seconds)

    def await_status(self, order_id: str, status: int, seconds: float = 60) -> None:
        """Waits until this order has this status. Raises MeasurementFailed."""
        sql = "SELECT status FROM orders_order WHERE id = %s"
        wait_until(lambda: self.rows(sql, order_id) == [(status,)], f"status {status} of an order", seconds)

    def await_placed(self, run: str, count: int, seconds: float = 60) -> None:
        """Waits until the run has this many orders and all are Processing. Raises MeasurementFailed."""
        wait_until(
            lambda: self.rows(_PLACED, f"{run}-%") == [(count, count)],
            f"{count} orders of {run} are Processing",
            seconds,
            pause=0.1,
        )

    def await_sockets(self) -> None:
        """Waits until a process listens on the port for sockets."""
        address = self.stack.settings.host, self.stack.settings.ports.sockets
        wait_until(lambda: _is_open(address), "sockets listen", 60)

    def close(self) -> None:
        """Closes the connections."""
        self.postgres.close()
        self.mongo.close()


_PLACED = (
    "SELECT count(*), count(*) FILTER (WHERE status = 2) FROM orders_order WHERE idempotency_key LIKE %s"
)


@contextmanager
def open_system(
    *,
    processes: bool = True,
    counts: Mapping[str, int] | None = None,
    brokers: int = 1,
    without: Collection[str] = (PAYMENTS, MAIL),
) -> Iterator[System]:
    """Starts a system like that of ./start, without the demo data; without `processes` only its servers.

    Payments and mail are left out, unless `without` says otherwise. Several `brokers` are a cluster: each
    message is on up to three, and acknowledged when two have it. The data is on the disk of the project: the
    directory for temporary files may be memory, where fsync costs nothing.
    """
    directory = PROJECT / ".stack-bench" / uuid.uuid4().hex[:8]
    cluster = kafka_cluster(directory / "cluster", free_ports(brokers)) if brokers > 1 else []
    caller = _of_cluster(cluster) if cluster else {}
    stack = embedded_stack(directory, ports=Ports.free(), caller=caller, counts=counts, without=without)
    try:
        start_all(cluster)
        stack.start_servers()
        stack.prepare(demo=False)
        if processes:
            stack.start_processes()
            stack.wait_until_ready()
        system = System(stack, cluster)
        try:
            yield system
        finally:
            system.close()
    finally:
        stack.stop()
        for broker in cluster:  # one after another: two brokers that stop together leave no controller quorum
            broker.stop()
        _remove(directory)


def _of_cluster(cluster: Sequence[KafkaBroker]) -> dict[str, str]:
    addresses = ",".join(broker.url for broker in cluster)
    return {"KAFKA_BROKERS": addresses, "KAFKA_REPLICATION_FACTOR": str(min(3, len(cluster)))}


def _is_open(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError:
        return False
    return True


def _remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
