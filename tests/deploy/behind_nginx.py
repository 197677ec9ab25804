"""Web processes and a daphne that stand behind nginx."""

import subprocess
import sys
from collections.abc import Mapping
from typing import Self

import httpx

from devtools.driver.shop import eventually
from devtools.stack.ports import free_ports


class Process:
    """A web process or a daphne, which can be ended and started again on its port."""

    def __init__(self, *command: str, port: int, env: Mapping[str, str]) -> None:
        self.port, self._command, self._env = port, command, env
        self.start()

    @classmethod
    def web(cls, env: Mapping[str, str], port: int | None = None) -> Self:
        """A web server of one process, as a container has it; without `port` on a free one."""
        port = port or free_ports(1)[0]
        return cls("-m", "web.server", "--port", str(port), "config.wsgi:application", port=port, env=env)

    @classmethod
    def sockets(cls, env: Mapping[str, str]) -> Self:
        """A daphne."""
        port = free_ports(1)[0]
        options = ("-b", "127.0.0.1", "-p", str(port), "-v", "0")
        return cls("-m", "daphne", *options, "config.asgi:application", port=port, env=env)

    def start(self) -> None:
        """Starts it; returns when it is ready to answer."""
        self._process = subprocess.Popen([sys.executable, *self._command], env=self._env)
        try:
            eventually(self._is_ready, f"a process on port {self.port} is ready", 60)
        except AssertionError:  # it does not outlive the test
            self._process.kill()
            self._process.wait()
            raise

    def stop(self) -> None:
        """Asks it to end, and waits for that."""
        self._process.terminate()
        assert self._process.wait(20) == 0

    @property
    def pid(self) -> int:
        return self._process.pid

    def _is_ready(self) -> bool:
        try:
            url = f"http://127.0.0.1:{self.port}/health/ready"
            return httpx.get(url, timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False
