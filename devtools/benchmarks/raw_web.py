"""The raw web server: trivial_site.py under the same server, with as many processes as the system has."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

from devtools.benchmarks.load import Plan, generate, request_bytes
from devtools.benchmarks.system import System
from devtools.benchmarks.waiting import wait_until
from devtools.stack.ports import free_ports
from devtools.stack.processes import DEFAULT_COUNTS
from devtools.stack.spawn import spawn


class RawWeb:
    """The running site, and a request with this body."""

    def __init__(self, port: int, body: bytes) -> None:
        self._port = port
        self._request = request_bytes("POST", "/", headers={"X-Number": "N0"}, body=body, number_in="N0")

    def rate(self, clients: int, seconds: float) -> float:
        """Answers per second, closed loop."""
        return generate(
            Plan(
                host="127.0.0.1",
                port=self._port,
                connections=clients,
                seconds=seconds,
                requests=[self._request],
                status=201,
            )
        ).rate


@contextmanager
def raw_web(system: System, body: bytes) -> Iterator[RawWeb]:
    """Runs the site on the PostgreSQL of the system."""
    system.postgres.execute(
        "CREATE TABLE IF NOT EXISTS raw_body (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body jsonb)"
    )
    [port] = free_ports(1)
    server = (sys.executable, "-m", "web.server", "--processes", str(DEFAULT_COUNTS["web"]))
    command = (*server, "--port", str(port), "devtools.benchmarks.trivial_site:application")
    site = spawn(command, output=subprocess.DEVNULL, env=system.stack.env)
    try:
        wait_until(lambda: _answers(port), "the raw site answers")
        yield RawWeb(port, body)
    finally:
        site.terminate()
        site.wait(20)


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", "/", b"{}", {"Content-Type": "application/json"})
        return connection.getresponse().status == 201
    except OSError:
        return False
    finally:
        connection.close()
