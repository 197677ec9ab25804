"""Restores a backup into a database without documents of ours."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

from bson import decode_file_iter
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from mongoengine import get_db
from pymongo.database import Database

from foundation.slices import slices
from products_app.documents.collections import create_collections
from products_app.documents.connection import translating_mongodb_errors
from products_app.services.backup.manifest import (
    COLLECTIONS,
    BackupUnusable,
    Manifest,
    SavedCollection,
    read_manifest,
)

AT_ONCE = 1_000
UNFINISHED = "unfinished_restore"
"""The collection whose document says that a restore has begun and not ended."""
Progress = Callable[[int], None]
"""Called with how many documents are done so far."""

_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


class NotEmpty(Exception):
    """The database has documents already, which a restore would mix with those of the backup."""

    def __init__(self, database: str, names: list[str]) -> None:
        super().__init__(
            f"the database {database} has documents already, in {', '.join(names)}. A backup is restored "
            "into an empty one: drop these collections, or name another database in MONGODB_URI"
        )


class RestoreUnfinished(Exception):
    """A restore has begun and not ended: documents are missing."""

    def __init__(self) -> None:
        super().__init__(
            "a restore of MongoDB was not finished: run manage.py restore_mongodb again, which begins anew"
        )


def require_no_unfinished_restore() -> None:
    """Raises RestoreUnfinished and CatalogueUnavailable."""
    with translating_mongodb_errors():
        if get_db()[UNFINISHED].find_one():
            raise RestoreUnfinished


def restore(folder: Path, progress: Progress) -> Manifest:
    """Put the documents of the backup in this folder into the empty collections; what it has.

    A restore that was killed is begun anew by the next. Raises BackupUnusable and NotEmpty, with nothing
    changed, OSError and CatalogueUnavailable.
    """
    manifest = read_manifest(folder)
    with translating_mongodb_errors():
        database: Database[Any] = get_db()
        _clear_unfinished_restore(database)
        _require_empty(database)
        create_collections()
        database[UNFINISHED].insert_one({"_id": str(manifest.taken_at)})
        done = 0
        for saved in manifest.collections:
            for batch in _batches(folder, saved):
                database[saved.name].insert_many(batch, bypass_document_validation=True)
                progress(done := done + len(batch))
            _require_all(database, saved)
        database.drop_collection(UNFINISHED)
    return manifest


def _clear_unfinished_restore(database: Database[Any]) -> None:
    """Remove what a killed restore has left."""
    if database[UNFINISHED].find_one():
        for name in COLLECTIONS:
            database.drop_collection(name)
        database.drop_collection(UNFINISHED)


def _require_empty(database: Database[Any]) -> None:
    """Raises NotEmpty."""
    if names := [name for name in COLLECTIONS if database[name].find_one({}, {"_id": 1})]:
        raise NotEmpty(database.name, names)


def _batches(folder: Path, saved: SavedCollection) -> Iterator[list[RawBSONDocument]]:
    with gzip.open(folder / saved.file) as file:
        yield from slices(decode_file_iter(cast("IO[bytes]", file), _RAW), AT_ONCE)


def _require_all(database: Database[Any], saved: SavedCollection) -> None:
    if (found := database[saved.name].count_documents({})) != saved.documents:
        raise BackupUnusable(f"{saved.name} has {found} documents, and its backup {saved.documents}")
