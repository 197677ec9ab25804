"""A whole system to be measured, and access to its servers for counting."""

import shutil
import socket
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import jwt
import psutil
import psycopg
from bson import Decimal128, ObjectId
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from pymongo import MongoClient
from pymongo.database import Database

from devtools.benchmarks.figures import MeasurementFailed
from devtools.benchmarks.kafka_client import NO_CLIENT_LOG
from devtools.benchmarks.load import Plan, request_bytes
from devtools.stack.ports import Ports
from devtools.stack.processes import worker_process
from devtools.stack.spawn import PROJECT
from devtools.stack.stack import Stack, embedded_stack
from kafka_workers.workers import Worker

ADDRESS = {
    "street": "1 Bridge St",
    "city": "Stockbridge",
    "state": "MA",
    "zipCode": "01262",
    "country": "US",
}
CASH_ON_DELIVERY = 6
STOCK = 100_000_000
_NUMBER = "NUMBER-HERE"
_TOKEN_SECONDS = 7200

Document = dict[str, Any]


class System:
    """A running stack, with one connection to each of its servers."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.postgres = psycopg.connect(stack.env["DATABASE_URL"], autocommit=True)
        self.mongo = MongoClient[Document](stack.env["MONGODB_URI"])
        self.brokers = stack.env["KAFKA_BROKERS"]
        self.admin = AdminClient({"bootstrap.servers": self.brokers, **NO_CLIENT_LOG})

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

    def ends(self, topic: str) -> int:
        """How many messages a topic has had, over its partitions."""
        return sum(high for _, high in self._watermarks(topic))

    def partition_ends(self, topic: str) -> list[int]:
        """The end offset of each partition."""
        return [high for _, high in self._watermarks(topic)]

    def first_message(self, topic: str) -> tuple[str, bytes, list[tuple[str, str | bytes | None]]]:
        """Key, value and headers of a message of the topic."""
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": "bench-samples", **NO_CLIENT_LOG})
        try:
            consumer.assign(
                [TopicPartition(each.topic, each.partition, 0) for each in self._partitions(topic)]
            )
            message = consumer.poll(10)
            if message is None or message.error():
                raise MeasurementFailed(f"no message in {topic}")
            return (
                (message.key() or b"").decode(),
                message.value() or b"",
                list(dict(message.headers() or {}).items()),
            )
        finally:
            consumer.close()

    def committed_by(self, group: str, topic: str) -> "CommittedCount":
        """A counter of the messages of the topic that the group has committed."""
        return CommittedCount(self.brokers, group, self._partitions(topic))

    def memory(self) -> Mapping[str, float]:
        """Memory of each process of the stack in MiB, with its children; PSS, so shared pages count once."""
        return {
            name: sum(map(_pss, _tree(process.pid))) / 2**20
            for name, process in self.stack.processes.items()
            if process.pid
        }

    def keep_only(self, *names: str) -> None:
        """Ends all processes of the stack but these."""
        for name in [name for name in self.stack.processes if name not in names]:
            self.stack.remove(name)

    def add_worker(self, worker: Worker) -> None:
        """Starts one worker and returns immediately."""
        self.stack.add(worker_process(worker))

    def place_plan(
        self, tokens: Sequence[str], products: Sequence[str], *, items: int, run: str, **load: Any
    ) -> Plan:
        """A plan that places orders of `items` products, with idempotency keys that begin with the run."""
        requests = [
            self._placement(tokens[number % len(tokens)], products, number, items, run)
            for number in range(len(products))
        ]
        return self.plan(requests, status=201, **load)

    def plan(self, requests: list[tuple[bytes, bytes]], *, status: int, **load: Any) -> Plan:
        """A plan of requests to the web processes."""
        settings = self.stack.settings
        return Plan(host=settings.host, port=settings.ports.web, requests=requests, status=status, **load)

    def _placement(
        self, token: str, products: Sequence[str], number: int, items: int, run: str
    ) -> tuple[bytes, bytes]:
        lines = [products[(number + step) % len(products)] for step in range(items)]
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"{run}-{_NUMBER}"}
        return request_bytes(
            "POST", "/api/v1/orders/", headers=headers, body=order_body(lines), number_in=_NUMBER
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

    def _partitions(self, topic: str) -> list[TopicPartition]:
        known = self.admin.list_topics(topic, timeout=10).topics[topic].partitions
        return [TopicPartition(topic, partition) for partition in known]

    def _watermarks(self, topic: str) -> list[tuple[int, int]]:
        consumer = Consumer(
            {"bootstrap.servers": self.brokers, "group.id": "bench-watermarks", **NO_CLIENT_LOG}
        )
        try:
            return [
                consumer.get_watermark_offsets(each, timeout=10) or (0, 0) for each in self._partitions(topic)
            ]
        finally:
            consumer.close()


class CommittedCount:
    """The number of messages of a topic that a group has committed, read over one connection."""

    def __init__(self, brokers: str, group: str, partitions: list[TopicPartition]) -> None:
        self._partitions = partitions
        self._consumer = Consumer({"bootstrap.servers": brokers, "group.id": group, **NO_CLIENT_LOG})

    def __call__(self) -> int:
        """The number now."""
        found = self._consumer.committed(self._partitions, timeout=10)
        return sum(max(0, each.offset) for each in found)

    def close(self) -> None:
        """Closes the connection."""
        self._consumer.close()


_PLACED = (
    "SELECT count(*), count(*) FILTER (WHERE status = 2) FROM orders_order WHERE idempotency_key LIKE %s"
)


def order_body(products: Sequence[str], payment_method: int = CASH_ON_DELIVERY) -> bytes:
    """The body of a request for an order of one piece of each of these products."""
    items = ",".join(f'{{"productId":"{product}","quantity":1}}' for product in products)
    address = ",".join(f'"{name}":"{value}"' for name, value in ADDRESS.items())
    return f'{{"items":[{items}],"shippingAddress":{{{address}}},"paymentMethod":{payment_method}}}'.encode()


def place_on(connection: HTTPConnection, token: str, body: bytes) -> str:
    """Places one order on an open connection; returns its id. Raises MeasurementFailed unless it is 201."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Idempotency-Key": uuid.uuid4().hex,
    }
    connection.request("POST", "/api/v1/orders/", body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    if answer.status != 201:
        raise MeasurementFailed(text)
    return text.partition('"id":"')[2].partition('"')[0]


def wait_until(holds: Callable[[], object], what: str, seconds: float = 30, *, pause: float = 0.005) -> float:
    """Waits until `holds` is true; returns the monotonic time. Raises MeasurementFailed after `seconds`."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise MeasurementFailed(f"not within {seconds:.0f} s: {what}")
        time.sleep(pause)
    return time.monotonic()


@contextmanager
def open_system(*, processes: bool = True, counts: Mapping[str, int] | None = None) -> Iterator[System]:
    """Starts a system like that of ./start, without the demo data; without `processes` only its servers.

    Its data is on the disk of the project: the directory for temporary files may be memory, where fsync costs
    nothing.
    """
    directory = PROJECT / ".stack-bench" / uuid.uuid4().hex[:8]
    stack = embedded_stack(directory, ports=Ports.free(), caller={}, counts=counts)
    try:
        stack.start_servers()
        stack.prepare(demo=False)
        if processes:
            stack.start_processes()
            stack.wait_until_ready()
        system = System(stack)
        try:
            yield system
        finally:
            system.close()
    finally:
        stack.stop()
        _remove(directory)


def _is_open(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError:
        return False
    return True


def _remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)


def _tree(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def _pss(process: psutil.Process) -> int:
    pss: int = process.memory_full_info().pss
    return pss
