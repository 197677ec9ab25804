"""The new code: a copy of the project with a new type of event, a new column and a migration for it."""

import subprocess
import sys
from pathlib import Path

from devtools.stack.processes import Process, all_processes
from devtools.stack.spawn import PROJECT
from devtools.stack.stack import Stack
from tests.project_copy import ProjectCopy

NEW_TYPE = "order.address.changed"

_EFFECT = """    EventType.ADDRESS_CHANGED: Effect(
        data=StockOrMoneyChanged,
        kafka_data=Announced,
        kafka=(order_updated_if_announced,),
        socket=SocketText("order:updated", "The address of order {number} was changed."),
    ),
"""
_RECORD = "self._change_stock_or_money(EventType.ADDRESS_CHANGED, is_announced=True, **changes)"
_COLUMN = 'gift_note = models.CharField(max_length=200, blank=True, db_default="")'
_CHANGES = {
    "orders_app/event_data.py": (
        '    DELETED = "order.deleted"',
        f'    ADDRESS_CHANGED = "{NEW_TYPE}"\n    DELETED = "order.deleted"',
    ),
    "orders_app/event_effects.py": (
        "    EventType.DELETED: Effect(",
        f"{_EFFECT}    EventType.DELETED: Effect(",
    ),
    "orders_app/history/sentences.py": (
        "    EventType.UPDATED: _updated,",
        "    EventType.UPDATED: _updated,\n    EventType.ADDRESS_CHANGED: _updated,",
    ),
    "orders_app/services/locked_order.py": ("self._change(EventType.UPDATED, **changes)", _RECORD),
    "orders_app/models/order.py": ("    idempotency_key = ", f"    {_COLUMN}\n    idempotency_key = "),
}
"""By file, a text that occurs in it once, and what stands there in the new code."""
_MIGRATION = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders_app", "{latest}")]
    operations = [
        migrations.AddField(
            model_name="order",
            name="gift_note",
            field=models.CharField(blank=True, db_default="", max_length=200),
        ),
    ]
"""


class NewCode(ProjectCopy):
    """The copy, in a folder of its own."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        for path, (old, new) in _CHANGES.items():
            self._replace(directory / path, old, new)
        folder = directory / "orders_app" / "migrations"
        latest = max(path.stem for path in folder.glob("0*.py"))
        (folder / f"{int(latest[:4]) + 1:04}_gift_note.py").write_text(_MIGRATION.format(latest=latest))

    def _replace(self, path: Path, old: str, new: str) -> None:
        source = path.read_text()
        assert source.count(old) == 1, (path, old)
        path.write_text(source.replace(old, new))


def prepare(stack: Stack, directory: Path = PROJECT) -> str:
    """Migrate and create collections and topics by the code in this folder; returns what was printed."""
    command = [sys.executable, "-m", "devtools.stack.prepare"]
    done = subprocess.run(
        command, cwd=directory, env=stack.env, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def manage(stack: Stack, *arguments: str, **settings: str) -> str:
    """What a command of this project prints on the system, with these settings besides; it must succeed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env=stack.env | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def replace(stack: Stack, name: str, directory: Path = PROJECT) -> None:
    """End a process of the system, and start it by the code in this folder; returns when it is at work."""
    [usual] = [each for each in all_processes(stack.settings, {"web": 1}) if each.name == name]
    stack.remove(name)
    stack.add(Process(name, ("env", "--chdir", str(directory), *usual.command), usual.heartbeats))
    stack.wait_until_ready()
