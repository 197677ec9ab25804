"""Creates, changes and deletes products. The callers check permissions."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from typing import Any, TypedDict, Unpack

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, DuplicateKeyError
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_random

from products_app.documents.connection import current_time, translating_mongodb_errors
from products_app.documents.product import ProductDocument, product_collection
from products_app.documents.reading import (
    COUNTS,
    Product,
    faults_of,
    read_product,
    require_readable_counts,
)
from products_app.documents.search_words import SOURCES, search_fields
from products_app.documents.transactions import in_transaction, is_duplicate_key
from products_app.exceptions import (
    CatalogueUnavailable,
    ProductChanged,
    ProductHeld,
    SkuTaken,
)
from products_app.selectors import get_document
from products_app.services.stock.movements import STOCK_SERVICE, StockMove, insert_products, move_stock

Precondition = Callable[[str], bool]
"""Whether a product at this revision may be changed."""

SHOWN_FIELDS = {"price", "stock", "lowStockAt", "isActive", "imageUrl", "createdAt", "updatedAt", *SOURCES}
RETRY_SECONDS = 10
CREATED = "Created with this stock."
STOCK_SET = "The stock was set to a value."


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


def create_product(*, actor: str = STOCK_SERVICE, **fields: Unpack[ProductFields]) -> Product:
    """Create a product; `name` and `price` are required. Its stock is its first movement, made by the actor.

    Raises SkuTaken or CatalogueUnavailable.
    """
    now = current_time()
    document = ProductDocument(**fields, id=ObjectId(), created_at=now, updated_at=now)
    product = read_product(document.to_mongo())
    document.name_words, document.search_words = search_fields(product).values()
    document.validate()
    new = [document.to_mongo().to_dict()]
    with refusing_taken_sku(product.sku):
        in_transaction(partial(insert_products, documents=new, actor=actor, reason=CREATED))
    return read_product(new[0])


def update_product(
    *,
    product_id: str,
    precondition: Precondition | None = None,
    actor: str = STOCK_SERVICE,
    **changes: Unpack[ProductFields],
) -> Product:
    """Set the given fields and return the product. A new stock changes `received` by the same difference.

    That change is a movement, made by the actor. The precondition is checked in the operation that writes.
    Raises ProductNotFound, ProductChanged where the precondition does not hold, SkuTaken,
    ProductUnreadable where the product could not be read afterwards, and CatalogueUnavailable.
    """
    with refusing_taken_sku(changes.get("sku", "")):
        if "stock" in changes:
            return in_transaction(
                partial(
                    _set_with_stock,
                    product_id=product_id,
                    precondition=precondition,
                    actor=actor,
                    changes=changes,
                )
            )
        return _set_fields(product_id, precondition, changes)


def _set_with_stock(
    session: ClientSession,
    *,
    product_id: str,
    precondition: Precondition | None,
    actor: str,
    changes: ProductFields,
) -> Product:
    """Set fields and stock by the transaction that records the movement."""
    document = get_document(product_id, session)
    require(precondition, document)
    require_readable_counts(document)
    move_stock(session, [stock_correction(document, changes, reason=STOCK_SET)], actor=actor)
    return read_product(get_document(product_id, session))


def stock_correction(document: Mapping[str, Any], changes: ProductFields, *, reason: str) -> StockMove:
    """The move that sets the stock and the other changes. Raises ProductUnreadable."""
    fields = {name: value for name, value in changed_fields(document, changes).items() if name not in COUNTS}
    quantity = changes["stock"] - document["stock"]
    return StockMove(document=document, quantity=quantity, kind="correction", reason=reason, fields=fields)


@retry_on_change
def _set_fields(product_id: str, precondition: Precondition | None, changes: ProductFields) -> Product:
    document = get_document(product_id)
    require(precondition, document)
    # The words come from all texts, so none of the others may have changed meanwhile.
    depends_on = SHOWN_FIELDS if precondition else SOURCES
    with translating_mongodb_errors():
        changed = product_collection().find_one_and_update(
            unchanged(document, depends_on),
            {"$set": changed_fields(document, changes)},
            return_document=ReturnDocument.AFTER,
        )
    if changed is None:
        raise _ChangedMeanwhile
    return read_product(changed)


def changed_fields(document: Mapping[str, Any], changes: ProductFields) -> dict[str, Any]:
    """The stored fields that a change sets, the words included. Raises ProductUnreadable."""
    new = {"updatedAt": current_time(), **stored_fields(changes)}
    return new | search_fields(read_product({**document, **new}))


@contextmanager
def refusing_taken_sku(sku: str) -> Iterator[None]:
    """Raise SkuTaken where another product has it."""
    try:
        yield
    except DuplicateKeyError as error:
        raise SkuTaken(sku) from error
    except BulkWriteError as error:
        if not is_duplicate_key(error):
            raise
        raise SkuTaken(sku) from error


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


def unchanged(document: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """The condition that these fields of the stored document are as in this one."""
    return {"_id": document["_id"]} | {
        field: {"$eq": document[field]} if field in document else {"$exists": False} for field in fields
    }


def stored_fields(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes under their stored names, in their stored form."""
    fields = {name: getattr(ProductDocument, name) for name in changes}
    return {field.db_field: field.to_mongo(changes[name]) for name, field in fields.items()}
