"""`manage.py restore_mongodb`."""

from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from foundation.operator_command import OperatorCommand, progress_bar
from products_app.services.backup.manifest import BackupUnusable
from products_app.services.backup.restoring import NotEmpty, restore

MARGIN = timedelta(hours=1)
"""For how long before the backup messages may have been on their way."""


class Command(OperatorCommand):
    """Restores a backup of MongoDB."""

    help = (
        "Restores a backup that backup_mongodb has made into a database without documents, while no worker "
        "and no web server runs. A backup that is unfinished, incomplete or changed is refused before "
        "anything is written; a restore that was killed is begun anew. Tells which command brings the stock "
        "ledger up to the orders (docs/backup.md). Exit code 0 when all is restored."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define the folder."""
        parser.add_argument("folder", type=Path, help="the folder of the backup")

    def handle(self, *, folder: Path, **_: Any) -> None:
        """Restore the backup. Raises CommandError."""
        try:
            with progress_bar("Documents restored", None) as progress:
                manifest = restore(folder, progress)
        except (BackupUnusable, NotEmpty, OSError) as error:
            raise CommandError(str(error)) from error
        since = manifest.taken_at - MARGIN
        self.stdout.write(
            f"{manifest.documents} documents of {manifest.taken_at:%Y-%m-%dT%H:%M:%SZ} restored. Next, "
            f"before the relay starts: manage.py resend_events --since {since:%Y-%m-%dT%H:%M:%SZ}"
        )
