"""kill -9 of each kind of process, and the time until its work is done again."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from devtools.benchmarks.figures import MeasurementFailed, Options, Row, figure
from devtools.benchmarks.placing import CREDIT_CARD
from devtools.benchmarks.system import System, open_system
from devtools.benchmarks.waiting import wait_until
from devtools.stack.spawn import PROJECT
from kafka_workers.workers import CONSUMERS, HOLDS, SAGA, Consumer

_STABLE_SECONDS = 10.5
_DJANGO = "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; django.setup()"
_MAKE_DUE = "UPDATE orders_order SET created_at = created_at - interval '1 day' WHERE id = %s RETURNING id"
_CANCELLED = 5


@dataclass(frozen=True, kw_only=True)
class RestartResult:
    """One kill."""

    seconds: float = figure("kill -9 → back at work; raw: python that loads Django", "s", raw="raw")
    raw: float


@dataclass(frozen=True)
class WorkChecks:
    """A check for each kind of process; it blocks until the process has done its work."""

    system: System
    token: str
    product: str

    def web(self) -> None:
        """An order is placed."""
        wait_until(lambda: _succeeds(lambda: self.system.place(self.token, self.product)), "web", 60)

    def sockets(self) -> None:
        """A socket is authenticated."""
        wait_until(lambda: _succeeds(self._connect), "sockets", 60)

    def order_processed(self) -> None:
        """An order placed now is Processing: relay, inventory consumer and order consumer work."""
        self.system.await_processing(self.system.place(self.token, self.product))

    def consumed(self, consumer: Consumer) -> None:
        """The consumer has committed all messages of its topics, including those of an order placed now."""
        self.order_processed()
        for topic in consumer.reads:
            self._await_read(consumer, topic)

    def hold_expired(self) -> None:
        """An order whose hold has expired is cancelled."""
        order = self.system.place(self.token, self.product, CREDIT_CARD)
        self.system.rows(_MAKE_DUE, order)
        self.system.await_status(order, _CANCELLED)

    def _await_read(self, consumer: Consumer, topic: str) -> None:
        end = self.system.topics.end(topic)
        with closing(self.system.topics.committed_by(consumer.group, topic)) as committed:
            wait_until(lambda: committed() >= end, f"{consumer.group} has read {topic}", 60)

    def _connect(self) -> None:
        with connect(self.system.stack.urls["sockets"], open_timeout=2) as socket:
            socket.send(json.dumps({"type": "authenticate", "token": self.token}))
            socket.recv(timeout=2)


def measure(options: Options) -> Iterator[tuple[str, RestartResult]]:
    """Each kind of process in turn, in rounds."""
    with open_system() as system:
        [customer] = system.new_customers(1)
        [product] = system.new_products(1)
        checks = WorkChecks(system, system.token(customer), product)
        check_of: dict[str, Callable[[], None]] = {
            "web": checks.web,
            "sockets": checks.sockets,
            # Reading a group's offsets takes up to a second: only consumers outside the saga are checked so.
            **{
                worker.name: partial(checks.consumed, worker)
                for worker in CONSUMERS
                if worker.name in system.stack.processes
            },
            **{worker.name: checks.order_processed for worker in SAGA},
            HOLDS.name: checks.hold_expired,
        }
        for check in check_of.values():
            check()
        for _ in range(options.runs):
            # The supervisor starts a process again with its shortest pause only after a run of ten seconds.
            time.sleep(options.seconds(_STABLE_SECONDS, 0))
            raw = _seconds_of_django(system)
            for name in list(check_of)[: options.size(len(check_of), 2)]:
                yield name, RestartResult(seconds=_seconds_away(system, name, check_of[name]), raw=raw)


def _seconds_away(system: System, name: str, check: Callable[[], None]) -> float:
    killed = time.monotonic()
    before = system.stack.pid(name)
    system.stack.kill(name)
    wait_until(lambda: system.stack.pid(name) != before, f"{name} is dead")
    check()
    return time.monotonic() - killed


def _seconds_of_django(system: System) -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", _DJANGO], cwd=PROJECT, env=system.stack.env, check=True)
    return time.monotonic() - started


def _succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (OSError, HTTPException, WebSocketException, MeasurementFailed):
        return False
    return True


ROW = Row("restart", "kill -9 of each kind of process → back at work", measure, runs=5)
