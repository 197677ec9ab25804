"""`manage.py create_collections`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from products_app.documents.collections import create_collections
from products_app.documents.connection import translating_mongodb_errors
from products_app.documents.unlisted import list_unlisted
from products_app.exceptions import CatalogueUnavailable
from products_app.services.backup.restoring import RestoreUnfinished, require_no_unfinished_restore
from products_app.services.stock.earlier_receipts import record_earlier_receipts


class Command(BaseCommand):
    """Creates the MongoDB collections."""

    help = (
        "Create the collections of the catalogue, the stock ledger and the stock movements in MongoDB, with "
        "their validators and indexes. Add what products of an earlier version or of another program lack: "
        "the words by which they are found, and the movement of what they had received. It may run beside "
        "workers; running it again changes nothing that is already right."
    )

    def handle(self, *_: Any, **options: Any) -> None:
        """Create the collections. Raises CommandError, also where a restore has not ended."""
        try:
            require_no_unfinished_restore()
            create_collections()
            with translating_mongodb_errors():
                list_unlisted(at_most=0)
            recorded = record_earlier_receipts()
        except RestoreUnfinished as error:
            raise CommandError(str(error)) from error
        except CatalogueUnavailable as error:
            raise CommandError(f"MongoDB (MONGODB_URI) cannot be reached: {error}") from error
        if options["verbosity"]:
            if recorded:
                self.stdout.write(f"What {recorded} products had received is recorded as a movement.")
            self.stdout.write("Collections, validators and indexes are in place.")
