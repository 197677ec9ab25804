"""`manage.py check_schemas`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from foundation.operator_command import OperatorCommand
from kafka_workers.contract.compatibility import incompatible_changes
from kafka_workers.contract.earlier_schemas import FOLDER, NoEarlierSchemas, read_schemas
from kafka_workers.contract.schema_values import UnresolvedReference
from kafka_workers.contract.schemas import all_schemas


class Command(OperatorCommand):
    """Compares the schemas of the messages with earlier ones."""

    help = (
        "Compare the JSON Schemas of the messages, as this code has them, with earlier ones, and print each "
        "change that is incompatible: a field that was removed, renamed or is newly required, or a value "
        "that may be something else than before. A new field that is not required is compatible. Exit code: "
        "0 all is compatible, 1 something is not, 2 there is nothing to compare with."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to compare with."""
        parser.add_argument(
            "--against",
            required=True,
            metavar="FOLDER_OR_COMMIT",
            help=f"a folder with files like order.created.v1.json or with {FOLDER}, or a commit, branch or "
            f"tag, whose {FOLDER} is read; a folder wins",
        )

    def handle(self, *, against: str, **options: Any) -> None:
        """Print the changes. Raises CommandError if there is one."""
        try:
            before = read_schemas(against, Path(settings.BASE_DIR))
            changes = incompatible_changes(before, all_schemas())
        except (NoEarlierSchemas, UnresolvedReference) as error:
            raise CommandError(str(error), returncode=2) from error
        for change in changes:
            self.stdout.write(change)
        if changes:
            changes_found = "1 change" if len(changes) == 1 else f"{len(changes)} changes"
            raise CommandError(f"incompatible with {against}: {changes_found}")
        self.stdout.write(f"{len(before)} schemas, and nothing is incompatible with {against}")
