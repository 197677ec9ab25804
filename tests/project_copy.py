"""A copy of the project, in which a test follows the steps of a guide."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.documents import COMMANDS, ROOT, Block, blocks

_MANAGE = "manage.py "
_PYTHON = "python "
_SERVERS = {"KAFKA_BROKERS", "MONGODB_URI", "DATABASE_URL", "STRIPE_API_BASE"}
"""The settings with the addresses of servers."""


class ProjectCopy:
    """A copy of the project without hidden files, and what is done in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        hidden_and_compiled = shutil.ignore_patterns(".*", "__pycache__")
        shutil.copytree(ROOT, directory, ignore=hidden_and_compiled, dirs_exist_ok=True)

    def run(self, *arguments: str, code: int = 0) -> str:
        """Runs Python in the copy with these arguments; checks the exit code and returns the output."""
        return self._run(arguments, os.environ, code, seconds=60)

    def manage(self, *arguments: str, code: int = 0) -> str:
        """The same for a management command."""
        return self.run("manage.py", *arguments, code=code)

    def test(self, *arguments: str) -> str:
        """Runs tests of the copy, with servers of their own; they must pass."""
        others = {name: text for name, text in os.environ.items() if name not in _SERVERS}
        return self._run(("-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments), others, 0, seconds=300)

    def _run(
        self, arguments: Sequence[str], environment: Mapping[str, str], code: int, *, seconds: float
    ) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.directory,
            env={name: text for name, text in environment.items() if not name.startswith("PYTEST_")},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def follow(self, guide: Path) -> None:
        """Does what the blocks of a guide say, one after the other: changes of files, and commands."""
        for block in blocks():
            if block.document == guide and (block.change or block.language in COMMANDS):
                self._do(block)

    def change(self, guide: Path) -> None:
        """Makes the changes of files that a guide has, without its commands."""
        for block in blocks():
            if block.document == guide and block.change:
                block.change.make(self.directory)

    def _do(self, block: Block) -> None:
        if block.change:
            block.change.make(self.directory)
            return
        for line in block.text.splitlines():
            assert line.startswith((_MANAGE, _PYTHON)), f"{block.place}: {line}"
            self.run(*shlex.split(line.removeprefix(_PYTHON), comments=True))
