"""The new code, and a running system whose processes are replaced by its own, and back."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from devtools.stack.processes import WEB, all_processes
from devtools.stack.spawn import PROJECT
from devtools.stack.stack import Stack
from tests.documents import ROOT, Change
from tests.project_copy import ProjectCopy

OLD, NEW = "old", "new"
WRITERS = (WEB,)
READERS = ("relay", "sockets")
"""The processes that read the order log."""

_COLUMN = 'gift_note = models.CharField(max_length=200, blank=True, db_default="")'
_COLUMN_BEFORE = "    request_hash = "
_KEY = '        "idempotency_key": request.idempotency_key,\n'
_MIGRATION = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders_app", "{latest}")]
    operations = [
        migrations.AddField(
            "order", "gift_note", models.CharField(blank=True, db_default="", max_length=200)
        ),
    ]
"""


def new_code(directory: Path) -> Path:
    """A copy of the project with the event and route of the guides, and a column that must have a value."""
    copy = ProjectCopy(directory)
    for guide in ("new-event.md", "new-route.md"):
        copy.change(ROOT / "docs" / guide)
    for change in _column():
        change.make(directory)
    return directory


def _column() -> Sequence[Change]:
    latest = max(path.stem for path in (ROOT / "orders_app" / "migrations").glob("0*.py"))
    migration = f"orders_app/migrations/{int(latest[:4]) + 1:04}_gift_note.py"
    return (
        Change("orders_app/models/order.py", [(_COLUMN_BEFORE, f"    {_COLUMN}\n{_COLUMN_BEFORE}")]),
        Change("orders_app/services/place_order/writing.py", [(_KEY, f'{_KEY}        "gift_note": "",\n')]),
        Change(migration, [("", _MIGRATION.format(latest=latest))]),
    )


class Upgrade:
    """A running system of old code; `new` is the folder of the new code."""

    def __init__(self, stack: Stack, new: Path) -> None:
        self._stack = stack
        self._folders = {OLD: PROJECT, NEW: new}
        self._code = dict.fromkeys(stack.processes, OLD)
        self.workers = [name for name in stack.processes if name not in (*WRITERS, *READERS)]

    def prepare(self, code: str) -> None:
        """Migrate and create collections and topics by this code."""
        subprocess.run(
            [sys.executable, "-m", "devtools.stack.prepare"],
            cwd=self._folders[code],
            env=self._stack.env,
            timeout=90,
            check=True,
        )

    def replace(self, code: str, *names: str) -> None:
        """One after the other, where it runs by the other code; returns when all processes are at work."""
        for name in names:
            if self._code[name] != code:
                self._stack.remove(name)
                self._start(name, code)
        self._stack.wait_until_ready()

    def replace_all(self, code: str) -> None:
        """All processes."""
        self.replace(code, *READERS, *self.workers, *WRITERS)

    def _start(self, name: str, code: str) -> None:
        [usual] = [each for each in all_processes(self._stack.settings, {WEB: 1}) if each.name == name]
        command = ("env", "--chdir", str(self._folders[code]), *usual.command)
        self._stack.add(replace(usual, command=command))
        self._code[name] = code
