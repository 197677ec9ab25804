"""The mail catcher as an embedded server: it takes mails by SMTP, shows them, and delivers nothing."""

import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from devtools.stack.http_health import is_healthy
from devtools.stack.server import HOST, ServerProcess


class MailCatcher(ServerProcess):
    """The catcher with the mails that it keeps; its inbox is a page on a port of its own."""

    name = "catcher"
    setting = "EMAIL_URL"

    def __init__(self, directory: Path, port: int, *, inbox_port: int) -> None:
        super().__init__(directory, port)
        self._inbox_port = inbox_port

    @property
    def listens(self) -> tuple[str, ...]:
        return ("smtp", "mail")

    @property
    def url(self) -> str:
        return f"smtp://{self.address}"

    @property
    def settings(self) -> Mapping[str, str]:
        return {**super().settings, "INBOX_URL": self.page}

    @property
    def page(self) -> str:
        return f"http://{HOST}:{self._inbox_port}"

    def _prepare(self) -> None:
        """The catcher creates its folder by itself."""

    def _command(self) -> Sequence[str | Path]:
        return [
            sys.executable,
            *("-m", "devtools.mail_catcher"),
            *("--folder", self.data),
            *("--smtp-port", str(self.port)),
            *("--http-port", str(self._inbox_port)),
        ]

    def _is_healthy(self) -> bool:
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
        except OSError:
            return False
        return is_healthy(self._inbox_port)
