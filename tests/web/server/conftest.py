"""The web server with a small site behind it, and clients that send what no library would."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from devtools.driver.shop import eventually
from devtools.stack.ports import free_ports
from tests.orders_app.sockets.conftest import accepts

IN_VAIN = "postgres://nobody@127.0.0.1:1/none"
SETTINGS = {
    "SECRET_KEY": "k" * 50,
    "PLAIN_HTTP": "true",
    "DATABASE_URL": IN_VAIN,
    "DJANGO_SETTINGS_MODULE": "config.settings",
}
QUICK = {"HEAD_SECONDS": "1", "BODY_SECONDS": "2", "IDLE_SECONDS": "2", "SLOW_READER_SECONDS": "2"}
FEW_CONNECTIONS = 12


class Caller:
    """A connection on which bytes are sent as they are."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)

    def send(self, *lines: str, body: bytes = b"") -> "Caller":
        """Send these lines, an empty line and the body."""
        self.socket.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1") + body)
        return self

    def raw(self, data: bytes) -> "Caller":
        """Send these bytes."""
        self.socket.sendall(data)
        return self

    def answer(self) -> tuple[int, dict[str, Any]]:
        """Status and JSON of the next answer."""
        with HTTPResponse(self.socket) as response:
            response.begin()
            content = response.read()
        return response.status, json.loads(content) if content.startswith(b"{") else {
            "text": content.decode()
        }

    def is_closed(self) -> bool:
        """Whether the server closes the connection, without a word, within ten seconds."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()


class Server:
    """A running web server."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self.port, self.process, self._log = port, process, log
        self._callers: list[Caller] = []

    def call(self) -> Caller:
        """A new connection."""
        self._callers.append(Caller(self.port))
        return self._callers[-1]

    def hang_up(self) -> None:
        """Close all connections of callers."""
        for caller in self._callers:
            caller.close()
        self._callers.clear()

    def echo(self, *headers: str) -> tuple[int, dict[str, Any]]:
        """The answer to a request of a well-behaved client."""
        caller = self.call()
        try:
            return caller.send("GET / HTTP/1.1", "Host: a", *headers).answer()
        finally:
            caller.close()

    @property
    def log(self) -> str:
        """All that the server has logged."""
        return self._log.read_text()


@contextmanager
def serving(log: Path, settings: Mapping[str, str], *, processes: int = 1) -> Iterator[Server]:
    """Runs the server with the site and these settings."""
    port = free_ports(1)[0]
    command = [sys.executable, "-m", "web.server", "--port", str(port), "--processes", str(processes)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "tests.web.server.site:application"],
            env={**os.environ, **SETTINGS, **settings},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: accepts(port), "the server listens")
        server = Server(port, process, log)
        try:
            yield server
        finally:
            server.hang_up()
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="package")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the usual limits, which no test comes near to, however busy the machine."""
    with serving(tmp_path_factory.mktemp("server") / "log", {}) as running:
        yield running


@pytest.fixture
def server(running_server: Server) -> Iterator[Server]:
    """The same server for each test, without the connections of others."""
    yield running_server
    running_server.hang_up()
