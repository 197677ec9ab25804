"""Writes the catalogue as CSV (RFC 4180, UTF-8)."""

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO

from msgspec import Struct

from products_app.documents.connection import translating_mongodb_errors
from products_app.documents.product import product_collection
from products_app.documents.reading import Product, find_readable
from products_app.services.catalogue_table.cells import (
    BYTE_ORDER_MARK,
    COLUMNS,
    cells_of,
    without_formula,
)


class Exported(Struct, frozen=True):
    """How many products were written, and how many were left out because they cannot be read."""

    products: int
    unreadable: int


def export_catalogue(out: TextIO, progress: Callable[[int], None] = lambda _: None) -> Exported:
    """Write every product that can be read, the oldest first; those that are not for sale too.

    `out` must leave the ends of lines as they are. Calls `progress` with the number of products so far.
    Raises CatalogueUnavailable.
    """
    unreadable = 0

    def readable() -> Iterator[Product]:
        nonlocal unreadable
        for document in product_collection().find().sort("_id"):
            if product := find_readable(document):
                yield product
            else:
                unreadable += 1

    with translating_mongodb_errors():
        products = write_products(out, readable(), progress)
    return Exported(products, unreadable)


def write_products(
    out: TextIO, products: Iterable[Product], progress: Callable[[int], None] = lambda _: None
) -> int:
    """Write these products; how many they were. `out` and `progress` are as for `export_catalogue`."""
    out.write(BYTE_ORDER_MARK)
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    written = 0
    for product in products:
        cells = cells_of(product)
        writer.writerow([without_formula(cells[column]) for column in COLUMNS])
        written += 1
        progress(written)
    return written


def count_products() -> int:
    """The approximate number of products. Raises CatalogueUnavailable."""
    with translating_mongodb_errors():
        return product_collection().estimated_document_count()
