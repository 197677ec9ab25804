"""`manage.py generate_docs`: write the reference pages and the manifests that follow from the code."""

import difflib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from kafka_workers.contract.manifests import manifests
from kafka_workers.contract.reference_docs import pages


class Command(BaseCommand):
    """Writes what `kafka_workers.contract` makes: pages to docs/, manifests to deploy/kubernetes/."""

    help = (
        "Write the pages under docs/ that follow from the code (workers, topics, Kafka access, metrics, "
        "AsyncAPI and JSON Schemas), and the manifests under deploy/kubernetes/ that do."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--check` for continuous integration."""
        parser.add_argument(
            "--check",
            action="store_true",
            help="write nothing; show what would change and exit 1 if anything would",
        )

    def handle(self, *, check: bool, **options: Any) -> None:
        """Write or compare every file; the schema of a topic that is gone is removed."""
        project = Path(settings.BASE_DIR)
        docs = project / "docs"
        wanted = {docs / name: text for name, text in pages().items()}
        wanted |= {project / "deploy" / "kubernetes" / name: text for name, text in manifests().items()}
        gone = set((docs / "schemas").glob("*.json")) - wanted.keys()
        if check:
            self._compare(wanted | dict.fromkeys(gone, ""))
            return
        for path, text in wanted.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for path in gone:
            path.unlink()

    def _compare(self, wanted: dict[Path, str]) -> None:
        stale = [path for path, text in sorted(wanted.items()) if _read(path) != text]
        for path in stale:
            difference = difflib.unified_diff(
                _read(path).splitlines(True),
                wanted[path].splitlines(True),
                f"{path.name} (now)",
                f"{path.name} (new)",
            )
            self.stdout.write("".join(difference))
        if stale:
            raise CommandError(f"{len(stale)} files differ from the code: run manage.py generate_docs.")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
