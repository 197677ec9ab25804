"""The inbox of the mail catcher, read over HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from devtools.driver.patience import PATIENCE_SECONDS
from devtools.driver.shop import eventually

_PAGE = 1000


@dataclass(frozen=True)
class Mail:
    """One mail that was sent to one or more addresses."""

    number: int
    received_at: float
    recipients: tuple[str, ...]
    subject: str
    headers: dict[str, str]

    @property
    def event(self) -> str:
        """The id of the event that it tells of; empty for a mail about an account."""
        return self.headers.get("X-Stockbridge-Event", "")


class Inbox:
    """The mails that a catcher has taken."""

    def __init__(self, page: str) -> None:
        self._http = httpx.Client(base_url=page, timeout=15)

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def mails(self, search: str = "", since: float = 0) -> list[Mail]:
        """The mails with this text since a Unix time, newest first."""
        return list(self._pages(search, since))

    def wait_for(self, search: str, count: int = 1, seconds: float = PATIENCE_SECONDS) -> list[Mail]:
        """The mails with this text, as soon as there are so many; newest first."""

        def found() -> list[Mail]:
            mails = self.mails(search)
            return mails if len(mails) >= count else []

        return eventually(found, f"{count} mails with {search}", seconds)

    def count(self, search: str) -> int:
        """How many mails have this text."""
        return int(self._get("/api/messages", {"search": search, "limit": 1})["count"])

    def raw(self, mail: Mail) -> bytes:
        """The mail as it was sent."""
        answer = self._http.get(f"/messages/{mail.number}/raw")
        assert answer.status_code == 200, answer.text
        return answer.content

    def content(self, mail: Mail) -> dict[str, Any]:
        """The mail with its `text` and its `html`."""
        content: dict[str, Any] = self._get(f"/api/messages/{mail.number}")
        return content

    def _pages(self, search: str, since: float) -> Iterator[Mail]:
        before: dict[str, int] = {}
        while True:
            query = {"search": search, "limit": _PAGE, **before}
            page = [_mail(each) for each in self._get("/api/messages", query)["messages"]]
            recent = [mail for mail in page if mail.received_at >= since]
            yield from recent
            if len(recent) < _PAGE:
                return
            before = {"before": page[-1].number}

    def _get(self, path: str, query: dict[str, Any] | None = None) -> Any:
        answer = self._http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


def _mail(found: dict[str, Any]) -> Mail:
    return Mail(
        number=found["id"],
        received_at=datetime.fromisoformat(found["receivedAt"]).timestamp(),
        recipients=tuple(found["to"]),
        subject=found["subject"],
        headers=found["headers"],
    )
