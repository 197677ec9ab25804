"""`manage.py create_collections`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from products_app.documents.collections import create_collections
from products_app.documents.connection import translating_mongodb_errors
from products_app.documents.unlisted import list_unlisted
from products_app.exceptions import CatalogueUnavailable


class Command(BaseCommand):
    """Creates the MongoDB collections."""

    help = (
        "Create the collections of the catalogue and the stock ledger in MongoDB, with their validators and "
        "indexes, and add the words by which products are found where they are missing. Running it again "
        "changes nothing that is already right."
    )

    def handle(self, *_: Any, **options: Any) -> None:
        """Create the collections. Raises CommandError if MongoDB is unavailable."""
        try:
            create_collections()
            with translating_mongodb_errors():
                list_unlisted(at_most=0)
        except CatalogueUnavailable as error:
            raise CommandError(f"MongoDB (MONGODB_URI) cannot be reached: {error}") from error
        if options["verbosity"]:
            self.stdout.write("Collections, validators and indexes are in place.")
