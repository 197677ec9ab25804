"""Connections of callers who send half of a request or nothing at all, and do not leave."""

import random
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http import HTTPStatus

import httpx

from devtools.faults.system import Misbehaved, System

WEB_CALLERS, SOCKET_CALLERS = 400, 100
_HOLD_SECONDS, _ANSWER_SECONDS = 8.0, 5.0
_HEAD = b"POST /api/v1/orders/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SENT = (
    b"",
    b"POST /api",
    _HEAD + b"Content-Length: 1000\r\n\r\n{",
    _HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    b"PRI * HTTP/2.0\r\n\r\n",
)


def hold_connections(system: System, rng: random.Random) -> None:
    """Holds many such connections for some seconds. Raises Misbehaved if others get no answer meanwhile."""
    ports = system.stack.settings.ports
    with _callers(system, ports.web, WEB_CALLERS, rng), _callers(system, ports.sockets, SOCKET_CALLERS, rng):
        end = time.monotonic() + _HOLD_SECONDS
        while time.monotonic() < end:
            _require_answers(
                [system.stack.urls["web"], f"http://{system.stack.settings.host}:{ports.sockets}"]
            )
            time.sleep(0.2)


@contextmanager
def _callers(system: System, port: int, count: int, rng: random.Random) -> Iterator[None]:
    with ExitStack() as opened:
        for _ in range(count):
            caller = socket.create_connection((system.stack.settings.host, port), timeout=_ANSWER_SECONDS)
            opened.enter_context(caller)
            caller.sendall(rng.choice(SENT))
        yield


def _require_answers(urls: Sequence[str]) -> None:
    for url in urls:
        try:
            answer = httpx.get(f"{url}/health/live", timeout=_ANSWER_SECONDS)
        except httpx.HTTPError as error:
            raise Misbehaved(f"{url} did not answer beside half-sent bodies: {error!r}") from error
        if answer.status_code != HTTPStatus.OK:
            raise Misbehaved(f"{url} answered {answer.status_code} beside half-sent bodies")
