"""Decides what a row of the table changes, without database or clock."""

import csv
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from bson import ObjectId
from msgspec import Struct

from products_app.documents.connection import object_id
from products_app.documents.reading import Product, faults_of, read_product
from products_app.services.catalogue import ProductFields
from products_app.services.catalogue_table.cells import (
    FIELDS,
    ID,
    NOT_TEXTS,
    NOT_UTF8,
    SKU,
    STOCK,
    STOCK_AT_EXPORT,
    cells_of,
    is_utf8,
    tags_in,
)
from products_app.services.catalogue_table.rows import Row, RowFault

Document = Mapping[str, Any]
ReadCell = Callable[[str, Any], Any]
"""Reads the value of a column from text, or tags from texts. Raises CellUnreadable."""


class CellUnreadable(Exception):
    """The text is no value of its column."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Found(Struct, frozen=True):
    """The stored products that some rows name."""

    by_id: Mapping[ObjectId, Document]
    by_sku: Mapping[str, Document]


class Planned(Struct, frozen=True):
    """What a row sets: of a stored product, or of a new one (`document` is None)."""

    line: int
    document: Document | None
    changes: ProductFields


def plan(row: Row, found: Found, read_cell: ReadCell) -> Planned | list[RowFault]:
    """What the row changes, or all that is wrong with it."""
    document, fault = _named(row, found)
    if fault:
        return [fault]
    product = read_product(document) if document else None
    values, faults = _values(row, cells_of(product) if product else {}, read_cell)
    changes = {name: value for name, value in values.items() if not product or _differs(product, name, value)}
    faults += _refusals(row, product, changes, found, read_cell)
    return faults or Planned(row.line, document, cast("ProductFields", changes))


def _named(row: Row, found: Found) -> tuple[Document | None, RowFault | None]:
    """The product of the row, None for a new one; or why that cannot be told."""
    product_id, sku = row.cells.get(ID, "").strip(), row.cells.get(SKU, "").strip()
    key = object_id(product_id)
    document = (found.by_id.get(key) if key else None) if product_id else found.by_sku.get(sku)
    if product_id and not document:
        return None, RowFault(row.line, ID, "not_found", f"There is no product {product_id}.")
    if not document and not sku:
        detail = "A new product needs an SKU: by it the product is found when the file is read again."
        return None, RowFault(row.line, SKU, "required", detail)
    if document and (unreadable := faults_of(document)):
        return None, RowFault(row.line, "", "product_unreadable", f"{'; '.join(unreadable.values())}.")
    return document, None


def _values(
    row: Row, current: Mapping[str, str], read_cell: ReadCell
) -> tuple[dict[str, Any], list[RowFault]]:
    """The values of the cells that are not as they would be exported now, by field."""
    values: dict[str, Any] = {}
    faults: list[RowFault] = []
    for column, field in FIELDS.items():
        text = row.cells.get(column)
        if text is None or text == current.get(column) or (text == "" and column in NOT_TEXTS):
            continue
        if column == STOCK and current and text == row.cells.get(STOCK_AT_EXPORT):
            continue  # nobody has edited it: what was sold since the export stays sold
        try:
            values[field] = read_cell(column, tags_in(text) if column == "tags" else text)
        except (CellUnreadable, csv.Error) as error:
            faults.append(_unreadable(row.line, column, text, error))
    return values, faults


def _unreadable(line: int, column: str, text: str, error: Exception) -> RowFault:
    if not is_utf8(text):
        return RowFault(line, column, "not_utf8", NOT_UTF8)
    code = error.code if isinstance(error, CellUnreadable) else "invalid"
    return RowFault(line, column, code, str(error))


def _differs(product: Product, field: str, value: Any) -> bool:
    current = getattr(product, field)
    return bool(current != (tuple(value) if field == "tags" else value))


def _refusals(
    row: Row, product: Product | None, changes: Mapping[str, Any], found: Found, read_cell: ReadCell
) -> list[RowFault]:
    """What does not fit together, or not with what is stored."""
    return [
        *(_missing(row) if product is None else ()),
        *_taken_sku(row, product, changes, found),
        *(_moved_stock(row, product, read_cell) if product and STOCK in changes else ()),
    ]


def _missing(row: Row) -> Iterator[RowFault]:
    for column in ("name", "price"):
        # An empty name has been read, and has its own fault.
        if column not in row.cells or (column in NOT_TEXTS and not row.cells[column]):
            yield RowFault(row.line, column, "required", "A new product needs it.")


def _taken_sku(
    row: Row, product: Product | None, changes: Mapping[str, Any], found: Found
) -> Iterator[RowFault]:
    owner = found.by_sku.get(changes.get(SKU, ""))
    if owner and (product is None or str(owner["_id"]) != product.id):
        yield RowFault(row.line, SKU, "sku_taken", f"Another product has the SKU {changes[SKU]}.")


def _moved_stock(row: Row, product: Product, read_cell: ReadCell) -> Iterator[RowFault]:
    """An edited stock that was exported is set only while nothing was sold or received since."""
    exported = row.cells.get(STOCK_AT_EXPORT, "")
    if not exported:
        return
    try:
        if read_cell(STOCK, exported) == product.stock:
            return
    except CellUnreadable as error:
        yield RowFault(row.line, STOCK_AT_EXPORT, error.code, error.detail)
        return
    detail = (
        f"The stock was {exported} when it was exported and is {product.stock} now. "
        f"Export it again, or empty {STOCK_AT_EXPORT} to set the stock all the same."
    )
    yield RowFault(row.line, STOCK, "stock_changed", detail)
