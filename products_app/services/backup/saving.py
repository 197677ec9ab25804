"""Makes a backup: all collections as they are at one moment, while traffic runs."""

import gzip
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import msgspec
from mongoengine import get_db
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure

from products_app.documents.connection import translating_mongodb_errors
from products_app.services.backup.manifest import (
    COLLECTIONS,
    MANIFEST,
    Manifest,
    SavedCollection,
    digest_of,
    file_of,
)
from products_app.services.stock.audit import retry_until_snapshot_is_ready, snapshot

UNFINISHED = ".unfinished"
SNAPSHOT_TOO_OLD = 239
_FOLDER, _FILE = 0o700, 0o600
_LENGTH = 4
_FAST = 1
"""The level of compression: the files are about as small as with more, in a third of the time."""

Progress = Callable[[int], None]
"""Called with how many documents are done so far."""


class FolderTaken(Exception):
    """The folder of the backup exists already."""


class SnapshotTooOld(Exception):
    """MongoDB no longer has the moment that is read."""

    def __init__(self) -> None:
        super().__init__(
            "reading took longer than MongoDB keeps a snapshot (five minutes by default). On its servers, "
            "set the parameter minSnapshotHistoryWindowInSeconds to more than a backup takes"
        )


def save(folder: Path, progress: Progress) -> Manifest:
    """Write a backup to this folder, which must not exist yet; what it has then.

    It is written beside it, as `<folder>.unfinished`, and gets its name when it is whole and on the disk.
    Only its owner can read it. Raises FolderTaken, SnapshotTooOld, OSError and CatalogueUnavailable.
    """
    if folder.exists():
        raise FolderTaken(f"{folder} exists already: name one that does not")
    unfinished = folder.with_name(folder.name + UNFINISHED)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=_FOLDER, parents=True)
    try:
        manifest = _save_snapshot(unfinished, progress)
    except OperationFailure as error:
        if error.code == SNAPSHOT_TOO_OLD:
            raise SnapshotTooOld from error
        raise
    with _new_file(unfinished / MANIFEST) as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest)))
    _sync_all(unfinished)
    unfinished.rename(folder)
    _sync(folder.parent)
    return manifest


@retry_until_snapshot_is_ready
def _save_snapshot(folder: Path, progress: Progress) -> Manifest:
    taken_at = datetime.now(UTC)
    database: Database[Any] = get_db()
    saved: list[SavedCollection] = []
    with snapshot() as session:
        for name in COLLECTIONS:
            counting = _counting_on(progress, sum(each.documents for each in saved))
            saved.append(_save_collection(database[name], folder, session, counting))
    return Manifest(database=database.name, taken_at=taken_at, collections=saved)


def _counting_on(progress: Progress, before: int) -> Progress:
    return lambda documents: progress(before + documents)


def _save_collection(
    collection: Collection[Any], folder: Path, session: ClientSession, progress: Progress
) -> SavedCollection:
    """Write the documents of a collection as BSON, one after the other, in compressed form."""
    documents = 0
    path = folder / file_of(collection.name)
    # A try for which the snapshot was not ready may have left one.
    path.unlink(missing_ok=True)
    with _new_file(path) as file, gzip.GzipFile("", "wb", _FAST, file) as compressed:
        for batch in collection.find_raw_batches({}, session=session):
            compressed.write(batch)
            documents += _count(batch)
            progress(documents)
    return SavedCollection(collection.name, documents, digest_of(path))


def _count(batch: bytes) -> int:
    """How many documents are in a batch: each begins with its length."""
    documents = at = 0
    while at < len(batch):
        at += int.from_bytes(batch[at : at + _LENGTH], "little")
        documents += 1
    return documents


def _new_file(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE), "wb")


def _sync_all(folder: Path) -> None:
    """Wait until the folder and its files are on the disk."""
    for path in folder.iterdir():
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def count_documents() -> int:
    """About how many documents a backup has now. Raises CatalogueUnavailable."""
    with translating_mongodb_errors():
        return sum(get_db()[name].estimated_document_count() for name in COLLECTIONS)
