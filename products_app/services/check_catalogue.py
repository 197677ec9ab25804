"""Finds what is in the catalogue and cannot be sold, and mends it.

- `name`: the same without NUL and cut to its bound; a number as text; else `Product <id>`, taken off sale.
- `price`: the number that a text spells; a number with more decimals is rounded; else the highest price, so
  that nothing is given away by mistake, taken off sale.
- `isActive`: what 1 and the usual words for yes mean; else false.
- `stock`: `received` minus what orders hold by the ledger; where `received` cannot be read either, the sum of
  the movements minus that; without movements the number that a text or a double spells, else 0.
- `received`: `stock` plus what orders hold.

The values that were there are kept in the field `replacedValues`.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import structlog
from bson import Decimal128, ObjectId
from django.conf import settings
from msgspec import Struct

from foundation.currencies import smallest_unit
from products_app.documents.connection import translating_mongodb_errors
from products_app.documents.ledger import ledger_collection
from products_app.documents.movements import recorded_sums
from products_app.documents.product import product_collection, validator
from products_app.documents.reading import (
    MAX_COUNT,
    MAX_NAME,
    as_decimal,
    faults_of,
    is_count,
    is_name,
    max_price,
    read_price,
)
from products_app.documents.unlisted import list_all
from products_app.services.catalogue import unchanged

_YES = {"true", "yes", "y", "on", "1"}
log = structlog.get_logger(__name__)


class UnsellableProduct(Struct, frozen=True):
    """A product that cannot be sold: why, and what was done about it (empty: nothing)."""

    product_id: str
    reason: str
    repaired: str


def check_catalogue(*, repair: bool) -> Iterator[UnsellableProduct]:
    """The products that cannot be read, each mended with `repair`; brings the words of all others up to date.

    A product whose `_id` is no ObjectId stays as it is: an id cannot be changed.
    Raises CatalogueUnavailable.
    """
    with translating_mongodb_errors():
        list_all()
        for document in product_collection().find({"$nor": [validator()]}).sort("_id"):
            if faults := faults_of(document):
                repaired = repair_product(document, faults) if repair else ""
                yield UnsellableProduct(str(document["_id"]), "; ".join(faults.values()), repaired)
        if repair:
            list_all()


def repair_product(document: Mapping[str, Any], faults: Mapping[str, str]) -> str:
    """Mend the fields with faults; what was done, empty where nothing could be or the product has changed."""
    if "_id" in faults:
        return ""
    mended = {**_mended_texts(document, faults), **_mended_counts(document, faults)}
    kept = {f"replacedValues.{field}": document[field] for field in faults if field in document}
    change = {"$set": mended | kept}
    if not product_collection().update_one(unchanged(document, faults), change).modified_count:
        return ""
    done = ", ".join(f"{field} {value}" for field, value in mended.items())
    log.warning("product mended", product=str(document["_id"]), was="; ".join(faults.values()), now=done)
    return done


def _mended_texts(document: Mapping[str, Any], faults: Mapping[str, str]) -> dict[str, Any]:
    """Name, price and `isActive` in a readable form; not for sale where the name or price is lost."""
    mended: dict[str, Any] = {}
    if "name" in faults:
        mended["name"] = _readable_name(document.get("name"))
    if "price" in faults:
        mended["price"] = _readable_price(document.get("price"))
    if "isActive" in faults:
        mended["isActive"] = _readable_flag(document["isActive"])
    if None in mended.values():
        placeholders = {"name": f"Product {document['_id']}", "price": Decimal128(max_price())}
        lost = {field: placeholders[field] for field, value in mended.items() if value is None}
        mended |= lost | {"isActive": False}
    return mended


def _readable_name(value: object) -> str | None:
    text = str(value) if as_decimal(value) is not None else value
    if not isinstance(text, str):
        return None
    name = text.replace("\x00", "").strip()[:MAX_NAME]
    return name if is_name(name) else None


def _readable_price(value: object) -> Decimal128 | None:
    amount = _spelled(value)
    if amount is None or not amount.is_finite() or abs(amount) > max_price():
        return None
    try:
        return Decimal128(read_price(Decimal128(amount.quantize(smallest_unit(settings.CURRENCY)))))
    except ValueError:
        return None


def _readable_flag(value: object) -> bool:
    word = (
        str(int(value)) if isinstance(value, int | float) and value in {0, 1} else str(value).strip().lower()
    )
    return word in _YES


def _mended_counts(document: Mapping[str, Any], faults: Mapping[str, str]) -> dict[str, Any]:
    """`stock` and `received` such that stock is received minus held; a readable `stock` stays."""
    if not faults.keys() & {"stock", "received"}:
        return {}
    held = held_pieces(document["_id"])
    stock, received = document.get("stock"), document.get("received")
    if is_count(stock):
        return {"received": stock + held}
    if is_count(received) and received >= held:
        return {"stock": received - held}
    moved, _ = recorded_sums([document["_id"]]).get(document["_id"], (-1, 0))
    if moved >= held:
        return {"stock": moved - held, "received": moved}
    spelled = _spelled(stock)
    whole = int(spelled) if spelled is not None and spelled.is_finite() and spelled == int(spelled) else 0
    new = whole if is_count(whole) and whole + held <= MAX_COUNT else 0
    return {"stock": new, "received": new + held}


def _spelled(value: object) -> Decimal | None:
    """The number that a value is, or spells as a text."""
    if not isinstance(value, str):
        return as_decimal(value)
    try:
        return Decimal(value.strip())
    except InvalidOperation:
        return None


def held_pieces(product_id: ObjectId) -> int:
    """The pieces of a product that orders hold by the ledger."""
    held = f"lines.{product_id}.held"
    lines = ledger_collection().find({held: {"$gt": 0}}, {held: 1})
    return sum(int(entry["lines"][str(product_id)]["held"]) for entry in lines)
