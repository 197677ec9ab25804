"""Files and folders that only their owner can read: data, logs and secrets of the stack."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from devtools.stack.errors import StackError

FOLDER, FILE = 0o700, 0o600
_OTHERS = 0o077
_ANYBODY_WRITES = 0o002


def make_private_folder(path: Path, *, own: Iterable[str]) -> None:
    """Creates the folder, or takes it over; closes those of its entries that are named in `own` to others.

    Raises StackError for a folder that another user controls, and for one that cannot be written to.
    """
    try:
        path.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(
            f"cannot write to {path} ({error.strerror}): set STACK_DIR to another folder"
        ) from error
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise StackError(f"{path} belongs to another user: set STACK_DIR to a folder of your own")
    if found.st_mode & _ANYBODY_WRITES:
        raise StackError(f"anybody may write to {path}: set STACK_DIR to a folder of your own")
    entries = [path / name for name in own if (path / name).exists()]
    if len(entries) == len(list(path.iterdir())):
        path.chmod(FOLDER)
    for entry in entries:
        _close(entry)


def _close(entry: Path) -> None:
    """Takes the rights of others from a file, or from a folder and all that is in it."""
    if entry.is_symlink() or not entry.lstat().st_mode & _OTHERS:
        return
    entry.chmod(entry.stat().st_mode & ~_OTHERS)
    for folder, folders, files in os.walk(entry):
        for name in (*folders, *files):
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~_OTHERS)


def write_private(path: Path, text: str, *, owner: tuple[int, int] | None = None) -> None:
    """Replaces the file at once: a reader finds the old text or the new. `owner` is a user and a group.

    A link that another process has put there is replaced, never followed.
    """
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        if owner is not None:
            os.fchown(descriptor, *owner)
    unfinished.replace(path)


def kept_secret(path: Path) -> str:
    """The secret in this file; a random one is created the first time."""
    try:
        return path.read_text()
    except FileNotFoundError:
        path.parent.mkdir(mode=FOLDER, parents=True, exist_ok=True)
        # Letters and digits mean the same in a URL, in SQL and in the key file of MongoDB.
        write_private(path, secrets.token_hex(32))
        return path.read_text()
