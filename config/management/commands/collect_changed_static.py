"""`manage.py collect_changed_static`: static files under names with fingerprints, where any has changed."""

import fcntl
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand

STAMP = "collected"
NOT_SERVED = ["drf_spectacular_sidecar/redoc*"]


class Command(BaseCommand):
    """Runs collectstatic, which takes seconds, only where it would change something."""

    help = (
        "Collect the static files of all apps in STATIC_ROOT, under names that change with their content, as "
        "collectstatic does; nothing is done where no file has changed since the last time."
    )

    def handle(self, *_: Any, **options: Any) -> None:
        """Collect, while no other process does."""
        root = Path(settings.STATIC_ROOT)
        root.mkdir(parents=True, exist_ok=True)
        with (root / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not is_collected(root, stamp := stamp_of_sources()):
                call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=NOT_SERVED)
                (root / STAMP).write_text(stamp)
        if options["verbosity"]:
            self.stdout.write(f"The static files are in {root}.")


def is_collected(root: Path, stamp: str) -> bool:
    """Whether these sources were collected last."""
    kept = root / STAMP
    return kept.is_file() and kept.read_text() == stamp


def stamp_of_sources() -> str:
    """Changes with each file that an app ships, by its path, size and time."""
    found = sorted(_sources())
    return blake2b("\n".join(found).encode(), digest_size=16).hexdigest()


def _sources() -> Iterator[str]:
    for finder in get_finders():
        for path, storage in finder.list(NOT_SERVED):
            stat = Path(storage.path(path)).stat()
            yield f"{storage.path(path)} {stat.st_size} {stat.st_mtime_ns}"
