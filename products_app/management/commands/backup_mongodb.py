"""`manage.py backup_mongodb`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from foundation.operator_command import OperatorCommand, progress_bar
from products_app.services.backup.saving import FolderTaken, SnapshotTooOld, count_documents, save


class Command(OperatorCommand):
    """Makes a backup of MongoDB while traffic runs."""

    help = (
        "Writes products, stock ledger, stock movements and what the stock watch keeps to a new folder, all "
        "as they were at one moment, while traffic runs. The folder gets its name when the backup is whole. "
        "Back up PostgreSQL after it, not before (docs/backup.md). Exit code 0 when the backup is whole."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define the folder."""
        parser.add_argument("folder", type=Path, help="the folder to create; it must not exist yet")

    def handle(self, *, folder: Path, **_: Any) -> None:
        """Make the backup. Raises CommandError."""
        try:
            with progress_bar("Documents saved", count_documents()) as progress:
                manifest = save(folder, progress)
        except (FolderTaken, SnapshotTooOld, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{folder}: {manifest.documents} documents of {manifest.taken_at:%Y-%m-%dT%H:%M:%SZ}."
        )
