"""The schemas as they were: in a folder, or in a commit of this repository."""

import io
import json
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from kafka_workers.contract.schema_values import Schema

FOLDER = "docs/schemas"
_PATTERN = "*.v*.json"


class NoEarlierSchemas(Exception):
    """There is nothing to compare with; the text says why."""


def read_schemas(where: str, repository: Path) -> dict[str, Schema]:
    """The schemas in the folder `where`, which may be a whole repository, or in the commit of this name.

    They are given by names such as `order.created.v1`.

    Raises NoEarlierSchemas.
    """
    folder = Path(where)
    inside = folder / FOLDER
    files = (
        _in_folder(inside if inside.is_dir() else folder)
        if folder.is_dir()
        else _in_commit(where, repository)
    )
    found = {path.stem: _schema(path, text) for path, text in files if path.match(_PATTERN)}
    if not found:
        raise NoEarlierSchemas(f"{where} has no schema: no file like order.created.v1.json.")
    return found


def _in_folder(folder: Path) -> list[tuple[PurePosixPath, bytes]]:
    return [(PurePosixPath(path.name), path.read_bytes()) for path in sorted(folder.glob(_PATTERN))]


def _in_commit(name: str, repository: Path) -> Iterable[tuple[PurePosixPath, bytes]]:
    command = ["git", "-C", str(repository), "archive", "--format=tar", "--end-of-options", name, FOLDER]
    try:
        archive = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - no shell
    except FileNotFoundError:
        raise NoEarlierSchemas(f"{name} is no folder, and git, which knows commits, is not there.") from None
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode(errors="replace").strip()
        raise NoEarlierSchemas(f"{name} is no folder, and no commit with {FOLDER}: {reason}") from error
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = [(PurePosixPath(member.name), tar.extractfile(member)) for member in tar if member.isfile()]
        return [(path, file.read()) for path, file in files if file]


def _schema(path: PurePosixPath, text: bytes) -> Schema:
    try:
        schema = json.loads(text)
    except ValueError as error:
        raise NoEarlierSchemas(f"{path} is no JSON: {error}") from error
    if not isinstance(schema, dict):
        raise NoEarlierSchemas(f"{path} is no JSON Schema: it is not an object.")
    return schema
