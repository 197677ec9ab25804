"""A mail catcher in a process of its own, for tests that send mails."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from devtools.driver.shop import eventually
from tests.python_process import RunningPython


class Catcher(RunningPython):
    """A running mail catcher with its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.smtp_port = self.http_port = 0
        self.start()

    def start(self) -> None:
        """Start it, on the ports that it had before."""
        ports = ("--smtp-port", str(self.smtp_port), "--http-port", str(self.http_port))
        *_, smtp, http = self.launch(
            "-m", "devtools.mail_catcher", "--folder", str(self._folder), *ports
        ).split()
        self.smtp_port, self.http_port = urlsplit(smtp).port or 0, urlsplit(http).port or 0

    @property
    def email_url(self) -> str:
        """The EMAIL_URL that sends to it."""
        return f"smtp://127.0.0.1:{self.smtp_port}"

    def get(self, path: str, **headers: str) -> requests.Response:
        """What it answers over HTTP."""
        return requests.get(f"http://127.0.0.1:{self.http_port}{path}", headers=headers, timeout=10)

    def mails(self, search: str = "") -> list[Any]:
        """The mails with this text, newest first."""
        found = self.get(f"/api/messages?limit=1000&search={search}").json()["messages"]
        return list(found)

    def mail(self, search: str) -> Any:
        """The newest mail with this text, once it has come; with its text and its HTML."""
        found = eventually(lambda: self.mails(search), f"a mail with {search}")
        return self.get(f"/api/messages/{found[0]['id']}").json()

    def delete_all(self) -> None:
        """Empty its inbox."""
        requests.delete(f"http://127.0.0.1:{self.http_port}/api/messages", timeout=10).raise_for_status()
