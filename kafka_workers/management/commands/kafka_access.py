"""`manage.py kafka_access`."""

from argparse import ArgumentTypeError
from pathlib import Path

from django.core.management.base import CommandError, CommandParser

from foundation.operator_command import OperatorCommand
from foundation.printable import printable
from kafka_workers.contract.principals import PURPOSES, all_permissions
from kafka_workers.runtime.broker.access import AccessControl, AccessControlRejected, AccessReport


class Command(OperatorCommand):
    """Creates the Kafka users of the workers and gives each the ACLs that it needs, and no more."""

    requires_system_checks = ()
    help = (
        "Create the Kafka users of the workers and give each of them the access control entries (ACLs) that "
        "it needs, and no more. Run it as an administrator of the cluster (KAFKA_SASL_USERNAME "
        "and KAFKA_SASL_PASSWORD). Safe to run again: it adds what is missing, and prints further entries of "
        "these users, without removing them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="print the ACLs; change and ask nothing")
        parser.add_argument(
            "--passwords",
            type=_passwords,
            default={},
            metavar="FILE",
            help=(
                "a file with one USER=PASSWORD a line: creates these users (SCRAM-SHA-512), or gives them "
                "this password; connections that are open stay open"
            ),
        )

    def handle(self, *_: object, dry_run: bool, passwords: dict[str, str], **__: object) -> None:
        if dry_run:
            self._print()
            return
        control = AccessControl()
        try:
            control.set_passwords(passwords)
            report = control.compare(all_permissions())
            control.grant(report.missing)
        except AccessControlRejected as error:
            raise CommandError(str(error)) from error
        self._report(passwords, report)

    def _print(self) -> None:
        for permission in all_permissions():
            self.stdout.write(str(permission))

    def _report(self, passwords: dict[str, str], report: AccessReport) -> None:
        for user in passwords:
            self.stdout.write(f"User:{user} has its password")
        for permission in report.missing:
            self.stdout.write(f"added: {permission}")
        for sentence in report.others:
            self.stdout.write(self.style.WARNING(printable(f"besides: {sentence}")))
        self.stdout.write(f"{len(all_permissions())} ACLs, {len(report.missing)} of them new")


def _passwords(path: str) -> dict[str, str]:
    """The users and passwords of a file; a password is all text after the first `=`."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ArgumentTypeError(f"{path} cannot be read: {error}") from error
    passwords = dict(line.partition("=")[::2] for line in lines if line)
    if unknown := passwords.keys() - PURPOSES.keys():
        raise ArgumentTypeError(
            f"{path} names {', '.join(sorted(unknown))}, not one of {', '.join(PURPOSES)}"
        )
    if empty := [user for user, password in passwords.items() if not password]:
        raise ArgumentTypeError(f"{path} has no password for {', '.join(sorted(empty))}")
    return passwords
