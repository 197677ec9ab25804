"""The mails that were taken, in one SQLite file.

Each commit is on the disk before the mail is answered (`synchronous=FULL`), so mails survive kill -9. The
oldest give way when there are too many, or when they take too much room.
"""

import json
import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtools.mail_catcher.letter import read_letter

_SCHEMA = """
CREATE TABLE IF NOT EXISTS mail (
    number INTEGER PRIMARY KEY AUTOINCREMENT, received_at REAL NOT NULL, sender TEXT NOT NULL,
    recipients TEXT NOT NULL, subject TEXT NOT NULL, headers TEXT NOT NULL, words TEXT NOT NULL,
    content BLOB NOT NULL
);
"""
_SUMMARY = "number, received_at, sender, recipients, subject, headers"
_SEARCHED_HEADERS = ("From", "Subject", "X-Stockbridge-Event")
"""Of these the last one names the order, which is not in the text of its mails."""
_SEARCHED = r"FROM mail WHERE words LIKE :search ESCAPE '\'"


@dataclass(frozen=True)
class Summary:
    """What a list shows of a mail; sender and recipients are those of the envelope."""

    number: int
    received_at: float
    sender: str
    recipients: list[str]
    subject: str
    headers: list[tuple[str, str]]


class Mails:
    """One file of mails, for any thread."""

    def __init__(self, path: Path, *, most: int = 50_000, most_bytes: int = 1 << 30) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.executescript(_SCHEMA)
        self._count, self._bytes = self._size()

    def add(self, *, sender: str, recipients: list[str], content: bytes) -> None:
        """Keep a mail; it is on the disk when this returns."""
        letter = read_letter(content)
        searched = [letter.header(name) for name in _SEARCHED_HEADERS]
        words = " ".join((*searched, *recipients, letter.text))
        headers = json.dumps(letter.headers)
        values = (time.time(), sender, json.dumps(recipients), letter.header("Subject"), headers)
        with self._lock:
            self._database.execute(
                "INSERT INTO mail (received_at, sender, recipients, subject, headers, words, content) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*values, words.casefold(), content),
            )
            self._count, self._bytes = self._count + 1, self._bytes + len(content)
            self._delete_oldest()

    def page(self, *, search: str = "", before: int | None = None, limit: int) -> list[Summary]:
        """The newest mails in which the text is found, older than the one with the number `before`."""
        rows = self._rows(
            f"SELECT {_SUMMARY} {_SEARCHED} AND (:before IS NULL OR number < :before) "
            "ORDER BY number DESC LIMIT :limit",
            {"search": _pattern(search), "before": before, "limit": limit},
        )
        return [_summary(row) for row in rows]

    def count(self, search: str = "") -> int:
        """In how many mails the text is found."""
        rows = self._rows(f"SELECT count(*) {_SEARCHED}", {"search": _pattern(search)})
        return int(rows[0][0])

    def find(self, number: int) -> tuple[Summary, bytes] | None:
        """The mail with this number, and its content."""
        rows = self._rows(f"SELECT {_SUMMARY}, content FROM mail WHERE number = :number", {"number": number})
        return (_summary(rows[0][:-1]), rows[0][-1]) if rows else None

    def delete_all(self) -> None:
        """Forget every mail."""
        with self._lock:
            self._database.execute("DELETE FROM mail")
            self._count = self._bytes = 0

    def _delete_oldest(self) -> None:
        while self._count > 1 and (self._count > self._most or self._bytes > self._most_bytes):
            (size,) = self._database.execute(
                "DELETE FROM mail WHERE number = (SELECT min(number) FROM mail) RETURNING length(content)"
            ).fetchone()
            self._count, self._bytes = self._count - 1, self._bytes - size

    def _size(self) -> tuple[int, int]:
        count, size = self._rows("SELECT count(*), coalesce(sum(length(content)), 0) FROM mail", {})[0]
        return count, size

    def _rows(self, statement: str, values: dict[str, Any]) -> list[Any]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()


def _pattern(search: str) -> str:
    escaped = search.casefold().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"


def _summary(row: tuple[int, float, str, str, str, str]) -> Summary:
    number, received_at, sender, recipients, subject, headers = row
    pairs = [(name, value) for name, value in json.loads(headers)]
    return Summary(number, received_at, sender, json.loads(recipients), subject, pairs)
