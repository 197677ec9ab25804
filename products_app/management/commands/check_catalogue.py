"""`manage.py check_catalogue`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from foundation.operator_command import OperatorCommand
from foundation.printable import printable
from products_app.exceptions import CatalogueUnavailable
from products_app.services.check_catalogue import UnsellableProduct, check_catalogue

NOT_CHECKED = 2


class Command(OperatorCommand):
    """Lists what is in the catalogue and cannot be sold."""

    help = (
        "List the products that other programs wrote into MongoDB and that can be neither shown nor sold, "
        "with id and reason, and bring the words by which products are found up to date. --repair mends "
        "them: a price written as text becomes a number; a name or price that is lost is replaced, and the "
        "product is taken off sale; stock is set from what was received and is held. Exit code 0 where all "
        "can be sold or were mended, 1 where some cannot, 2 where MongoDB cannot be reached."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define `--repair`."""
        parser.add_argument(
            "--repair", action="store_true", help="mend them; the old values stay in `replacedValues`"
        )

    def handle(self, *, repair: bool, **_: Any) -> None:
        """Print one line for each. Raises CommandError where some cannot be sold."""
        left, found = 0, 0
        try:
            for product in check_catalogue(repair=repair):
                self.stdout.write(printable(_line(product)))
                found += 1
                left += not product.repaired
        except CatalogueUnavailable as error:
            raise CommandError(
                f"MongoDB (MONGODB_URI) cannot be reached: {error}", returncode=NOT_CHECKED
            ) from error
        self.stdout.write(f"{found} products cannot be sold, {found - left} mended.")
        if left:
            raise CommandError(f"{left} products cannot be sold.")


def _line(product: UnsellableProduct) -> str:
    mended = f" Mended: {product.repaired}." if product.repaired else ""
    return f"product {product.product_id}: {product.reason}.{mended}"
