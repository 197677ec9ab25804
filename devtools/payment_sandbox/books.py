"""The books: payments, refunds, answers by key and what is still to be told, in one SQLite file.

What is written is on the disk before it is answered (`synchronous=FULL`), so the books survive kill -9.
Requests that are written at the same time share one commit, and so one wait for the disk.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Object = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL UNIQUE, parent TEXT, value TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS object_of_parent ON object (parent) WHERE parent IS NOT NULL;
CREATE INDEX IF NOT EXISTS object_of_kind ON object (kind, number);
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS unavailable (key TEXT PRIMARY KEY, times INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS delivery (
    number INTEGER PRIMARY KEY, event TEXT NOT NULL, due REAL NOT NULL, tries INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (due);
CREATE TABLE IF NOT EXISTS ending (number INTEGER PRIMARY KEY, id TEXT NOT NULL, due REAL NOT NULL);
"""


class Books:
    """One file of books, which is read and written in transactions."""

    def __init__(self, path: Path) -> None:
        self._writer, self._reader = _open(path), _open(path)
        self._writes, self._reads, self._commits = threading.Lock(), threading.Lock(), threading.Lock()
        self._group = Future[None]()

    @contextmanager
    def writing(self) -> Iterator["Entries"]:
        """All that is written within is kept, or nothing; when this returns, it is on the disk."""
        with self._writes:
            if not self._writer.in_transaction:
                self._writer.execute("BEGIN IMMEDIATE")
            self._writer.execute("SAVEPOINT request")
            try:
                yield Entries(self._writer)
            except BaseException:
                self._writer.execute("ROLLBACK TO request")
                raise
            finally:
                self._writer.execute("RELEASE request")
            group = self._group
        self._commit(group)

    @contextmanager
    def reading(self) -> Iterator["Entries"]:
        """Reads that agree with each other, of what is on the disk."""
        with self._reads:
            self._reader.execute("BEGIN")
            try:
                yield Entries(self._reader)
            finally:
                self._reader.execute("COMMIT")

    def _commit(self, group: Future[None]) -> None:
        """Returns when the requests of this group are on the disk: the first of them commits for all."""
        with self._commits:
            if not group.done():
                with self._writes:
                    self._group = Future()
                    self._end(group)
        group.result()

    def _end(self, group: Future[None]) -> None:
        try:
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            self._writer.execute("ROLLBACK")
            group.set_exception(error)
        else:
            group.set_result(None)


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.executescript(_SCHEMA)
    return database


class Entries:
    """What the books hold, within one transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def add(self, value: Object, *, parent: str | None = None) -> None:
        """A new payment or refund; a refund's parent is its payment."""
        self._database.execute(
            "INSERT INTO object (kind, id, parent, value) VALUES (?, ?, ?, ?)",
            (value["object"], value["id"], parent, json.dumps(value)),
        )

    def replace(self, value: Object) -> None:
        """The changed object in place of the one with its id."""
        self._database.execute("UPDATE object SET value = ? WHERE id = ?", (json.dumps(value), value["id"]))

    def find(self, kind: str, identifier: str) -> Object | None:
        """The object of this kind with this id."""
        found = self._objects("SELECT value FROM object WHERE kind = ? AND id = ?", (kind, identifier))
        return found[0] if found else None

    def children(self, parent: str) -> list[Object]:
        """The refunds of a payment, oldest first."""
        return self._objects("SELECT value FROM object WHERE parent = ? ORDER BY number", (parent,))

    def page(
        self, kind: str, *, after: str | None, since: int, parent: str | None, limit: int
    ) -> list[Object]:
        """At most `limit` objects since a Unix time, newest first, older than the one with the id `after`."""
        return self._objects(
            """
            SELECT value FROM object WHERE kind = :kind AND (:parent IS NULL OR parent = :parent)
            AND (:after IS NULL OR number < (SELECT number FROM object WHERE id = :after))
            AND json_extract(value, '$.created') >= :since
            ORDER BY number DESC LIMIT :limit
            """,
            {"kind": kind, "after": after, "since": since, "parent": parent, "limit": limit},
        )

    def answer_for(self, key: str) -> tuple[str, int, str] | None:
        """The request that came with this key, the status and body of its answer."""
        found: tuple[str, int, str] | None = self._one(
            "SELECT request, status, body FROM answer WHERE key = ?", key
        )
        return found

    def keep_answer(self, key: str, request: str, status: int, body: str) -> None:
        """The answer that every repetition with this key gets."""
        self._database.execute("INSERT INTO answer VALUES (?, ?, ?, ?)", (key, request, status, body))

    def count_unavailable(self, key: str) -> int:
        """How many requests with this key were told that the gateway is unavailable, this one included."""
        row = self._one(
            """
            INSERT INTO unavailable VALUES (?, 1)
            ON CONFLICT (key) DO UPDATE SET times = times + 1 RETURNING times
            """,
            key,
        )
        return int(row[0])

    def add_deliveries(self, event: Object, due: Iterable[float]) -> None:
        """The sendings of an event, at these Unix times."""
        text = json.dumps(event)
        self._database.executemany(
            "INSERT INTO delivery (event, due, tries) VALUES (?, ?, 0)", [(text, when) for when in due]
        )

    def due_deliveries(self, now: float, limit: int) -> list[tuple[int, str, int]]:
        """Number, event and tries so far of the sendings that are due."""
        return self._database.execute(
            "SELECT number, event, tries FROM delivery WHERE due <= ? ORDER BY due LIMIT ?", (now, limit)
        ).fetchall()

    def count_deliveries(self) -> int:
        """How many sendings are still to come."""
        [(count,)] = self._database.execute("SELECT count(*) FROM delivery").fetchall()
        return int(count)

    def end_delivery(self, number: int) -> None:
        """The receiver has taken it."""
        self._database.execute("DELETE FROM delivery WHERE number = ?", (number,))

    def postpone_delivery(self, number: int, due: float) -> None:
        """The receiver has not taken it: once more, later."""
        self._database.execute(
            "UPDATE delivery SET due = ?, tries = tries + 1 WHERE number = ?", (due, number)
        )

    def add_ending(self, identifier: str, due: float) -> None:
        """A payment or refund whose end comes later, at a Unix time."""
        self._database.execute("INSERT INTO ending (id, due) VALUES (?, ?)", (identifier, due))

    def has_endings(self, now: float) -> bool:
        """Whether the end of a payment or refund is due."""
        found = self._database.execute("SELECT 1 FROM ending WHERE due <= ? LIMIT 1", (now,)).fetchone()
        return found is not None

    def take_endings(self, now: float) -> list[str]:
        """The payments and refunds whose end is due; they are handed out once."""
        rows = self._database.execute("DELETE FROM ending WHERE due <= ? RETURNING id", (now,)).fetchall()
        return [identifier for (identifier,) in rows]

    def _objects(self, statement: str, parameters: tuple[str, ...] | Object) -> list[Object]:
        return [json.loads(value) for (value,) in self._database.execute(statement, parameters)]

    def _one(self, statement: str, value: str) -> Any:
        return self._database.execute(statement, (value,)).fetchone()
