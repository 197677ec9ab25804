"""kill -9 of each kind of process, and how long until its work is done again."""

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

from devtools.benchmarks.figures import Effort, NotAsPromised, Row, figure
from devtools.benchmarks.system import System, open_system, wait_until
from devtools.stack.spawn import PROJECT
from kafka_workers.workers import CONSUMERS, HOLDS, SAGA, Consumer

CREDIT_CARD = 1
_SOUND_SECONDS = 10.5
_DJANGO = "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; django.setup()"
_MAKE_DUE = "UPDATE orders_order SET created_at = created_at - interval '1 day' WHERE id = %s RETURNING id"
_CANCELLED = 5


@dataclass(frozen=True, kw_only=True)
class RestartResult:
    """One kill."""

    seconds: float = figure("kill -9 → back at work; raw: python that loads Django", "s", raw="raw")
    raw: float


@dataclass(frozen=True)
class Work:
    """What shows that each kind of process works; each blocks until it is seen."""

    system: System
    token: str
    product: str

    def web(self) -> None:
        """An order is taken."""
        wait_until(lambda: _survives(lambda: self.system.place(self.token, self.product)), "web", 60)

    def sockets(self) -> None:
        """A socket is welcomed."""
        wait_until(lambda: _survives(self._connect), "sockets", 60)

    def order_settled(self) -> None:
        """An order placed now is Processing: relay, inventory and order consumer have done their part."""
        self.system.await_processing(self.system.place(self.token, self.product))

    def consumed(self, consumer: Consumer) -> None:
        """The consumer has committed all messages of its topics, those of an order placed now too."""
        self.order_settled()
        for topic in consumer.reads:
            self._await_read(consumer, topic)

    def hold_expired(self) -> None:
        """An order whose time to pay is over is cancelled."""
        order = self.system.place(self.token, self.product, CREDIT_CARD)
        self.system.rows(_MAKE_DUE, order)
        self.system.await_status(order, _CANCELLED)

    def _await_read(self, consumer: Consumer, topic: str) -> None:
        end = self.system.ends(topic)
        with closing(self.system.committed_by(consumer.group, topic)) as committed:
            wait_until(lambda: committed() >= end, f"{consumer.group} has read {topic}", 60)

    def _connect(self) -> None:
        with connect(self.system.stack.urls["sockets"], open_timeout=2) as socket:
            socket.send(json.dumps({"type": "authenticate", "token": self.token}))
            socket.recv(timeout=2)


def measure(effort: Effort) -> Iterator[tuple[str, RestartResult]]:
    """Every kind in turn, round after round."""
    with open_system() as system:
        [customer] = system.new_customers(1)
        [product] = system.new_products(1)
        work = Work(system, system.token(customer), product)
        signs: dict[str, Callable[[], None]] = {
            "web": work.web,
            "sockets": work.sockets,
            # To ask a group for its offsets takes up to a second: only for those that no order waits for.
            **{worker.name: partial(work.consumed, worker) for worker in CONSUMERS},
            **{worker.name: work.order_settled for worker in SAGA},
            HOLDS.name: work.hold_expired,
        }
        for sign in signs.values():
            sign()
        for _ in range(effort.runs):
            # A process that has run for ten seconds is started again with the shortest pause.
            time.sleep(effort.seconds(_SOUND_SECONDS, 0))
            raw = _seconds_of_django(system)
            for name in list(signs)[: effort.size(len(signs), 2)]:
                yield name, RestartResult(seconds=_seconds_away(system, name, signs[name]), raw=raw)


def _seconds_away(system: System, name: str, works: Callable[[], None]) -> float:
    killed = time.monotonic()
    before = system.stack.pid(name)
    system.stack.kill(name)
    wait_until(lambda: system.stack.pid(name) != before, f"{name} is dead")
    works()
    return time.monotonic() - killed


def _seconds_of_django(system: System) -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", _DJANGO], cwd=PROJECT, env=system.stack.env, check=True)
    return time.monotonic() - started


def _survives(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (OSError, HTTPException, WebSocketException, NotAsPromised):
        return False
    return True


ROW = Row("restart", "kill -9 of each kind of process → back at work", measure)
