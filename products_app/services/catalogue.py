"""Creates, changes and deletes products. The callers check permissions."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from bson import ObjectId
from mongoengine import NotUniqueError
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_random

from products_app.documents.connection import translating_mongodb_errors
from products_app.documents.product import ProductDocument, product_collection
from products_app.documents.reading import Product, faults_of, read_product
from products_app.documents.search_words import SOURCES, search_fields
from products_app.exceptions import (
    CatalogueUnavailable,
    ProductChanged,
    ProductHeld,
    ProductUnreadable,
    SkuTaken,
)
from products_app.selectors import get_document

Precondition = Callable[[str], bool]
"""Whether a product at this revision may be changed."""

SHOWN_FIELDS = {"price", "stock", "lowStockAt", "isActive", "imageUrl", "createdAt", "updatedAt", *SOURCES}
COUNTS = {"stock", "received"}
RETRY_SECONDS = 10
_HELD_PIECES = {"$subtract": [{"$ifNull": ["$received", "$stock"]}, "$stock"]}


class ProductFields(TypedDict, total=False):
    """The fields that staff may set."""

    name: str
    description: str
    price: Decimal
    category: str
    stock: int
    low_stock_at: int
    image_url: str
    sku: str
    brand: str
    tags: list[str]
    is_active: bool


class _ChangedMeanwhile(CatalogueUnavailable):
    """Another request changed the product between reading and writing it."""


retry_on_change = retry(
    retry=retry_if_exception_type(_ChangedMeanwhile),
    wait=wait_random(max=0.02),
    stop=stop_after_delay(RETRY_SECONDS),
    reraise=True,
)


def create_product(**fields: Unpack[ProductFields]) -> Product:
    """Create a product; `name` and `price` are required. Raises SkuTaken or CatalogueUnavailable."""
    now = current_time()
    document = ProductDocument(
        **fields, id=ObjectId(), received=fields.get("stock", 0), created_at=now, updated_at=now
    )
    product = read_product(document.to_mongo())
    document.name_words, document.search_words = search_fields(product).values()
    try:
        with translating_mongodb_errors():
            document.save(force_insert=True)
    except NotUniqueError as error:
        raise SkuTaken(product.sku) from error
    return product


@retry_on_change
def update_product(
    *, product_id: str, precondition: Precondition | None = None, **changes: Unpack[ProductFields]
) -> Product:
    """Set the given fields and return the product. A new stock changes `received` by the same difference.

    The precondition is checked in the operation that writes.
    Raises ProductNotFound, ProductChanged where the precondition does not hold, SkuTaken,
    ProductUnreadable where the product could not be read afterwards, and CatalogueUnavailable.
    """
    document = get_document(product_id)
    require(precondition, document)
    if "stock" in changes:
        require_readable_counts(document)
    new = {"updatedAt": current_time(), **stored_fields(changes)}
    product = read_product(document | new)
    change: dict[str, Any] = literals(new | search_fields(product))
    if "stock" in changes:
        change["received"] = {"$add": [changes["stock"], _HELD_PIECES]}
    # The words come from all texts, so none of the others may have changed meanwhile.
    depends_on = SHOWN_FIELDS if precondition else SOURCES
    try:
        with translating_mongodb_errors():
            changed = product_collection().find_one_and_update(
                unchanged(document, depends_on), [{"$set": change}], return_document=ReturnDocument.AFTER
            )
    except DuplicateKeyError as error:
        raise SkuTaken(product.sku) from error
    if changed is None:
        raise _ChangedMeanwhile
    return read_product(changed)


@retry_on_change
def delete_product(*, product_id: str, precondition: Precondition | None = None) -> None:
    """Delete a product of which no order holds pieces; the precondition is checked in the same operation.

    Raises ProductHeld, ProductNotFound, ProductChanged, ProductUnreadable or CatalogueUnavailable.
    """
    document = get_document(product_id)
    require(precondition, document)
    require_readable_counts(document)
    stock, received = document["stock"], document.get("received")
    if received is not None and received != stock:
        raise ProductHeld(product_id)
    depends_on = SHOWN_FIELDS | COUNTS if precondition else COUNTS
    with translating_mongodb_errors():
        if not product_collection().delete_one(unchanged(document, depends_on)).deleted_count:
            raise _ChangedMeanwhile


def require(precondition: Precondition | None, document: Mapping[str, Any]) -> None:
    """Raise ProductChanged unless the precondition holds; what cannot be read has no revision."""
    if precondition is None:
        return
    revision = "" if faults_of(document) else read_product(document).revision
    if not precondition(revision):
        raise ProductChanged(str(document["_id"]))


def require_readable_counts(document: Mapping[str, Any]) -> None:
    """Raise ProductUnreadable where it cannot be told how many pieces orders hold."""
    faults = {field: fault for field, fault in faults_of(document).items() if field in COUNTS}
    if faults:
        raise ProductUnreadable(str(document["_id"]), faults)


def unchanged(document: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """The condition that these fields of the stored document are as in this one."""
    return {"_id": document["_id"]} | {
        field: {"$eq": document[field]} if field in document else {"$exists": False} for field in fields
    }


def stored_fields(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes under their stored names, in their stored form."""
    fields = {name: getattr(ProductDocument, name) for name in changes}
    return {field.db_field: field.to_mongo(changes[name]) for name, field in fields.items()}


def literals(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields for a pipeline, marked as literals because a text may begin with a dollar."""
    return {name: {"$literal": value} for name, value in fields.items()}


def current_time() -> datetime:
    """The time now, rounded down to the milliseconds that MongoDB stores."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
