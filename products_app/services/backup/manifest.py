"""What a backup says of itself: one file beside those of the collections, written last."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from products_app.documents.ledger import LEDGER
from products_app.documents.movements import MOVEMENTS
from products_app.documents.product import PRODUCTS
from products_app.documents.stock_watch import WATCH, WATCHED

MANIFEST = "manifest.json"
COLLECTIONS = (PRODUCTS, LEDGER, MOVEMENTS, WATCH, WATCHED)
_CHUNK = 1 << 20


class BackupUnusable(Exception):
    """The folder has no backup that is whole and unchanged; the text says what is wrong with it."""


def file_of(collection: str) -> str:
    """The name of the file that has the documents of this collection."""
    return f"{collection}.bson.gz"


class SavedCollection(Struct, frozen=True):
    """The documents of one collection: their number, and the SHA-256 of the file that has them."""

    name: str
    documents: int
    sha256: str

    @property
    def file(self) -> str:
        """The name of the file in the folder of the backup."""
        return file_of(self.name)


class Manifest(Struct, frozen=True, rename="camel", kw_only=True):
    """What is in a backup. All collections are as they were at one moment, not before `taken_at`."""

    format: Literal[1] = 1
    database: str
    taken_at: datetime
    collections: list[SavedCollection]

    @property
    def documents(self) -> int:
        """How many documents it has, over all collections."""
        return sum(each.documents for each in self.collections)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the backup in this folder, whose files are all there and unchanged.

    Raises BackupUnusable.
    """
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise BackupUnusable(
            f"{folder} has no {MANIFEST}: it is no backup, or one that was not finished"
        ) from None
    except msgspec.MsgspecError as error:
        raise BackupUnusable(f"{folder / MANIFEST} cannot be read: {error}") from error
    if missing := set(COLLECTIONS) - {each.name for each in manifest.collections}:
        raise BackupUnusable(f"{folder} lacks the collections {', '.join(sorted(missing))}")
    for saved in manifest.collections:
        _require_unchanged(folder / saved.file, saved.sha256)
    return manifest


def _require_unchanged(path: Path, sha256: str) -> None:
    try:
        found = digest_of(path)
    except FileNotFoundError:
        raise BackupUnusable(f"{path} is missing") from None
    if found != sha256:
        raise BackupUnusable(f"{path} is not as it was written: its SHA-256 differs from {MANIFEST}")


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
