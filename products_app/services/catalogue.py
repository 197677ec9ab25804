"""Creates, changes and deletes products. The callers check permissions."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from mongoengine import NotUniqueError
from pymongo.errors import DuplicateKeyError

from products_app.documents.connection import object_id, translating_mongodb_errors
from products_app.documents.product import Product, product_collection
from products_app.exceptions import ProductHeld, SkuTaken
from products_app.selectors import get_product

HELD_PIECES = {"$subtract": [{"$ifNull": ["$received", "$stock"]}, "$stock"]}


class ProductFields(TypedDict, total=False):
    """The fields that staff may set."""

    name: str
    description: str
    price: Decimal
    category: str
    stock: int
    image_url: str
    sku: str
    brand: str
    tags: list[str]
    is_active: bool


def create_product(**fields: Unpack[ProductFields]) -> Product:
    """Create a product; `name` and `price` are required. Raises SkuTaken or CatalogueUnavailable."""
    now = current_time()
    product = Product(**fields, received=fields.get("stock", 0), created_at=now, updated_at=now)
    try:
        with translating_mongodb_errors():
            product.save(force_insert=True)
    except NotUniqueError as error:
        raise SkuTaken(product.sku) from error
    return product


def update_product(*, product_id: str, **changes: Unpack[ProductFields]) -> Product:
    """Set the given fields and return the product. A new stock changes `received` by the same difference.

    Raises ProductNotFound, SkuTaken or CatalogueUnavailable.
    """
    change = {"updatedAt": current_time(), **stored_fields(changes)}
    if "stock" in changes:
        change["received"] = {"$add": [changes["stock"], HELD_PIECES]}
    try:
        with translating_mongodb_errors():
            product_collection().update_one({"_id": object_id(product_id)}, [{"$set": change}])
    except DuplicateKeyError as error:
        raise SkuTaken(changes["sku"]) from error
    return get_product(product_id=product_id, include_inactive=True)


def delete_product(*, product_id: str) -> None:
    """Delete a product of which no order holds pieces.

    Raises ProductHeld, ProductNotFound or CatalogueUnavailable.
    """
    with translating_mongodb_errors():
        not_held = {"_id": object_id(product_id), "$expr": {"$eq": [HELD_PIECES, 0]}}
        if product_collection().delete_one(not_held).deleted_count:
            return
    get_product(product_id=product_id, include_inactive=True)
    raise ProductHeld(product_id)


def stored_fields(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes under their stored names, marked as literals because a text may begin with a dollar."""
    fields = {name: getattr(Product, name) for name in changes}
    return {field.db_field: {"$literal": field.to_mongo(changes[name])} for name, field in fields.items()}


def current_time() -> datetime:
    """The time now, rounded down to the milliseconds that MongoDB stores."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
