"""The columns of the table, a product as the texts of its cells, and what a spreadsheet would execute."""

import csv
import re
from collections.abc import Mapping, Sequence
from io import StringIO

from products_app.documents.reading import Product

ID, SKU, STOCK, STOCK_AT_EXPORT = "id", "sku", "stock", "stockAtExport"
FIELDS: Mapping[str, str] = {
    "sku": "sku",
    "name": "name",
    "description": "description",
    "price": "price",
    "category": "category",
    "brand": "brand",
    "tags": "tags",
    "imageUrl": "image_url",
    "isActive": "is_active",
    "stock": "stock",
    "lowStockAt": "low_stock_at",
}
"""The columns with what staff may set: the field of each."""
COLUMNS = (ID, *FIELDS, STOCK_AT_EXPORT)
NOT_TEXTS = frozenset(["price", "isActive", "stock", "lowStockAt"])
"""Of these an empty cell has no meaning: it leaves the value."""

NOT_UTF8 = "This is not UTF-8: save the file as CSV in UTF-8."

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for another encoding, and would spoil what it then saves."""

# By https://owasp.org/www-community/attacks/CSV_Injection; in Japanese also the wide forms.
_BEGINNING = "[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_IS_FORMULA, _WAS_FORMULA = re.compile(f"'*{_BEGINNING}"), re.compile(f"'+{_BEGINNING}")


def cells_of(product: Product) -> dict[str, str]:
    """The product as texts, by column."""
    stock = str(product.stock)
    return {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "description": product.description,
        "price": str(product.price),
        "category": product.category,
        "brand": product.brand,
        "tags": in_one_cell(product.tags),
        "imageUrl": product.image_url,
        "isActive": "true" if product.is_active else "false",
        "stock": stock,
        "lowStockAt": str(product.low_stock_at),
        "stockAtExport": stock,
    }


def in_one_cell(tags: Sequence[str]) -> str:
    """Tags with commas between; one that has a comma or a quote itself is quoted, as in a line of CSV."""
    cell = StringIO()
    csv.writer(cell).writerow(tags)
    return cell.getvalue().removesuffix("\r\n")


def tags_in(cell: str) -> list[str]:
    """The tags in a cell. Raises csv.Error."""
    return [tag for row in csv.reader([cell], strict=True, skipinitialspace=True) for tag in row]


def without_formula(cell: str) -> str:
    """The text, with a `'` before it where a spreadsheet would execute it; `with_formula` takes that away."""
    return f"'{cell}" if _IS_FORMULA.match(cell) else cell


def is_utf8(text: str) -> bool:
    """Whether the text of a file was UTF-8; other bytes are read as lone surrogates."""
    return not _NOT_UTF8.search(text)


def with_formula(cell: str) -> str:
    """The text that a cell stands for."""
    return cell[1:] if _WAS_FORMULA.match(cell) else cell
