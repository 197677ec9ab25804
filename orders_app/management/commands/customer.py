"""`manage.py customer`."""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from foundation.operator_command import OperatorCommand, operator_name
from foundation.printable import printable
from foundation.user_names import MAX_NAME
from orders_app.personal_data.erasing import count_personal_rows, erase_person
from orders_app.personal_data.exporting import ELSEWHERE, export_person
from orders_app.personal_data.obstacles import NotErasable
from orders_app.personal_data.person import NoSuchUser, Person, find_person


class Command(OperatorCommand):
    """Exports and erases the personal data of one user."""

    help = (
        "Personal data of a user (docs/personal-data.md). `export` prints everything that is held of them "
        "as JSON. `erase` closes the account and replaces name, addresses and people's words in rows, "
        "events, archive and records for good, while traffic runs; orders and figures stay. It refuses "
        "while an order, its money or a dispute is under way. An erasure that was interrupted is finished by "
        "running it again. Exit code 1 when there is no such user, or the data cannot be erased now."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define `export` and `erase`."""
        actions = parser.add_subparsers(dest="action", required=True)
        export = actions.add_parser("export", help="print what is held of a user as JSON")
        export.add_argument("name", help="the name of the user")
        export.add_argument(
            "--output", type=Path, metavar="FILE", help="write to this new file, which only you may read"
        )
        erase = actions.add_parser("erase", help="erase the personal data of a user for good")
        erase.add_argument("name", help="the name of the user")
        erase.add_argument("--yes", action="store_true", help="do not ask for confirmation")
        erase.add_argument("--dry-run", action="store_true", help="say what would be erased, erase nothing")
        erase.add_argument(
            "--by",
            type=_who,
            default=operator_name(),
            metavar="WHO",
            help="who asks for it, for the record; default: your login",
        )

    def handle(self, *, action: str, name: str, **options: Any) -> None:
        """Find the user, and export or erase what is held of them."""
        try:
            person = find_person(name)
        except NoSuchUser as error:
            raise CommandError(str(error)) from error
        if action == "export":
            self._export(person, options["output"])
            return
        try:
            self._erase(person, options)
        except NotErasable as error:
            raise CommandError(f"Not erased.\n{error}") from error

    def _export(self, person: Person, output: Path | None) -> None:
        if output is None:
            export_person(person, partial(self.stdout.write, ending=""))
            return
        try:
            descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            export_person(person, file.write)

    def _erase(self, person: Person, options: dict[str, Any]) -> None:
        for table, rows in sorted(count_personal_rows(person).items()):
            self.stdout.write(f"{table}: {rows} rows")
        if options["dry_run"]:
            self.stdout.write("Nothing was erased.")
            return
        if not options["yes"]:
            _confirm(person)
        redaction = erase_person(person=person, requested_by=options["by"])
        self.stdout.write(f"Erased, and recorded as redaction {redaction.pk}. What stays elsewhere:")
        for sentence in ELSEWHERE:
            self.stdout.write(f"- {sentence}")


def _who(text: str) -> str:
    """The type of `--by`."""
    if not 0 < len(text) <= MAX_NAME:
        raise ArgumentTypeError(f"it has 1 to {MAX_NAME} characters")
    return text


def _confirm(person: Person) -> None:
    """Have the name typed again. Raises CommandError where nobody does."""
    if not sys.stdin.isatty():
        raise CommandError("Nobody can be asked here: confirm with --yes.")
    typed = input(f"This cannot be undone. Type the user's name, {printable(person.username)}, to erase: ")
    if typed != person.username:
        raise CommandError("That is another name. Nothing was erased.")
