"""The load generator: raw HTTP/1.1 over persistent connections, in a process of its own.

`python -m devtools.benchmarks.load` reads a Plan from its standard input and writes a Report. It shares the
cores with the system that it measures, so it does little: it sends requests that are prepared as bytes, and
reads only the status, the length and the id of an answer.
"""

import asyncio
import re
import resource
import subprocess
import sys
import time
from collections import deque

import msgspec
from msgspec import Struct

from devtools.stack.spawn import PROJECT

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_ID = re.compile(rb'"id": ?"([^"]+)"')
_ANSWER_SECONDS = 30.0

Request = tuple[bytes, bytes]


class Plan(Struct, frozen=True, kw_only=True):
    """The requests to send, in turn. Each is `before`, then its number in ten digits, then `after`.

    With a `rate` requests are sent by schedule (open loop), else each connection sends its next request after
    an answer (closed loop).
    """

    host: str
    port: int
    connections: int
    seconds: float
    requests: list[Request]
    status: int
    rate: float = 0.0
    first: int = 0
    limit: int = 0


class Report(Struct, frozen=True, kw_only=True):
    """The result: times by the monotonic clock; `answered` has the id and the time of each answer."""

    started: float
    ended: float
    latencies: list[float]
    answered: list[tuple[str, float]]
    failures: list[str]
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Answers of the expected status per second."""
        return len(self.latencies) / (self.ended - self.started)

    @property
    def cpu_micros(self) -> float:
        """The CPU time that the generator itself uses for a request, in microseconds."""
        return 1e6 * self.cpu_seconds / max(1, len(self.latencies))


class _Load:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.latencies: list[float] = []
        self.answered: list[tuple[str, float]] = []
        self.failures: list[str] = []
        self.started = self.ended = 0.0
        self._number = plan.first
        self._due: deque[float] = deque()
        self._free: list[_Connection] = []
        self._busy = 0
        self._time_is_over = False
        self._done = asyncio.Event()

    async def run(self) -> None:
        loop, plan = asyncio.get_running_loop(), self.plan
        for _ in range(plan.connections):
            await loop.create_connection(lambda: _Connection(self), plan.host, plan.port)
        self.started = time.monotonic()
        if plan.rate:
            await self._keep_schedule()
        else:
            for connection in (*self._free,):
                self._send(connection, self.started)
            self._free.clear()
            await asyncio.wait([asyncio.ensure_future(self._done.wait())], timeout=plan.seconds)
        self._time_is_over = True
        if self._busy or self._due:
            await asyncio.wait_for(self._done.wait(), _ANSWER_SECONDS)
        self.ended = max((when for _, when in self.answered), default=time.monotonic())

    async def _keep_schedule(self) -> None:
        total = int(self.plan.rate * self.plan.seconds)
        for index in range(total):
            due = self.started + index / self.plan.rate
            while (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            if self._free:
                self._send(self._free.pop(), due)
            else:
                self._due.append(due)
                await asyncio.sleep(0)

    def on_free(self, connection: "_Connection") -> None:
        if self._due:
            self._send(connection, self._due.popleft())
        elif self._may_send():
            self._send(connection, time.monotonic())
        else:
            self._free.append(connection)
            if not self._busy:
                self._done.set()

    def _may_send(self) -> bool:
        plan = self.plan
        if plan.rate or self._time_is_over or not self.started:
            return False
        return not plan.limit or self._number < plan.first + plan.limit

    def _send(self, connection: "_Connection", due: float) -> None:
        before, after = self.plan.requests[self._number % len(self.plan.requests)]
        connection.send(b"%b%010d%b" % (before, self._number, after), due)
        self._number += 1
        self._busy += 1
        self._done.clear()

    def on_answer(self, due: float, status: int, answer: bytes) -> None:
        now = time.monotonic()
        self._busy -= 1
        if status == self.plan.status:
            found = _ID.search(answer)
            self.latencies.append(now - due)
            self.answered.append((found[1].decode() if found else "", now))
        else:
            self.failures.append(answer.decode(errors="replace"))

    def on_closed(self, connection: "_Connection") -> None:
        """Removes a connection that the server has closed because it was idle."""
        if connection in self._free:
            self._free.remove(connection)

    def on_lost(self) -> None:
        self._busy -= 1
        self.failures.append("the connection was lost")
        if not self._busy:
            self._done.set()


class _Connection(asyncio.Protocol):
    """A connection that sends one request at a time."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._buffer = b""
        self._due = 0.0
        self._awaits_answer = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._load.on_free(self)

    def send(self, request: bytes, due: float) -> None:
        self._due, self._awaits_answer = due, True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0 or len(self._buffer) < head + 4 + self._length_of_body(head):
            return
        answer, self._buffer, self._awaits_answer = self._buffer, b"", False
        self._load.on_answer(self._due, int(answer[9:12]), answer)
        self._load.on_free(self)

    def _length_of_body(self, head: int) -> int:
        found = _LENGTH.search(self._buffer, 0, head + 2)
        return int(found[1]) if found else 0

    def connection_lost(self, exc: Exception | None) -> None:
        if self._awaits_answer:
            self._load.on_lost()
        else:
            self._load.on_closed(self)


class RunningLoad:
    """A running load generator."""

    def __init__(self, plan: Plan) -> None:
        command = [sys.executable, "-m", "devtools.benchmarks.load"]
        self._process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.msgpack.encode(plan))
        self._process.stdin.close()

    def report(self) -> Report:
        """Waits for its end. Raises LoadFailed if an answer does not have the status of the plan."""
        assert self._process.stdout is not None
        output = self._process.stdout.read()
        if self._process.wait() != 0:
            raise LoadFailed(["the load generator itself failed"])
        report = msgspec.msgpack.decode(output, type=Report)
        if report.failures:
            raise LoadFailed(report.failures)
        return report


class LoadFailed(Exception):
    """Requests failed or got an answer with another status, so the figures are invalid."""

    def __init__(self, failures: list[str]) -> None:
        super().__init__(f"{len(failures)} requests failed, the first: {failures[0]}")
        self.failures = failures


def generate(plan: Plan) -> Report:
    """Sends the requests of the plan and waits for the answers. Raises LoadFailed."""
    return RunningLoad(plan).report()


def request_bytes(method: str, path: str, *, headers: dict[str, str], body: bytes, number_in: str) -> Request:
    """A request in two parts, split at `number_in`, where the load generator puts a number in ten digits."""
    length = len(body) + (10 - len(number_in) if number_in.encode() in body else 0)
    lines = {
        "Host": "localhost",
        "Content-Type": "application/json",
        "Content-Length": str(length),
        **headers,
    }
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    before, _, after = (head.encode() + b"\r\n" + body).partition(number_in.encode())
    return before, after


def main() -> None:
    """Runs the plan from standard input and writes the report."""
    load = _Load(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Plan))
    before = _cpu_seconds()
    asyncio.run(load.run())
    report = Report(
        started=load.started,
        ended=load.ended,
        latencies=load.latencies,
        answered=load.answered,
        failures=load.failures,
        cpu_seconds=_cpu_seconds() - before,
    )
    sys.stdout.buffer.write(msgspec.msgpack.encode(report))


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
