"""Changing the catalogue. Who may is not decided here."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from mongoengine import NotUniqueError
from pymongo.errors import DuplicateKeyError

from products_app.documents.connection import object_id, reaching_catalogue
from products_app.documents.product import Product, product_collection
from products_app.exceptions import ProductHeld, SkuTaken
from products_app.selectors import get_product

HELD = {"$subtract": [{"$ifNull": ["$received", "$stock"]}, "$stock"]}


class ProductFields(TypedDict, total=False):
    """What staff may set."""

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
    """Put a product into the catalogue; `name` and `price` are needed, the rest has defaults.

    Raises SkuTaken or CatalogueUnavailable.
    """
    now = current_time()
    product = Product(**fields, received=fields.get("stock", 0), created_at=now, updated_at=now)
    try:
        with reaching_catalogue():
            product.save(force_insert=True)
    except NotUniqueError as error:
        raise SkuTaken(product.sku) from error
    return product


def update_product(*, product_id: str, **changes: Unpack[ProductFields]) -> Product:
    """Set the given fields. Setting the stock counts the difference as received or written off.

    Raises ProductNotFound, SkuTaken or CatalogueUnavailable.
    """
    change = {"updatedAt": current_time(), **stored_fields(changes)}
    if "stock" in changes:
        change["received"] = {"$add": [changes["stock"], HELD]}
    try:
        with reaching_catalogue():
            product_collection().update_one({"_id": object_id(product_id)}, [{"$set": change}])
    except DuplicateKeyError as error:
        raise SkuTaken(changes["sku"]) from error
    return get_product(product_id=product_id, include_inactive=True)


def delete_product(*, product_id: str) -> None:
    """Take a product out of the catalogue, unless live reservations hold pieces of it.

    Raises ProductHeld, ProductNotFound or CatalogueUnavailable.
    """
    with reaching_catalogue():
        unheld = {"_id": object_id(product_id), "$expr": {"$eq": [HELD, 0]}}
        if product_collection().delete_one(unheld).deleted_count:
            return
    get_product(product_id=product_id, include_inactive=True)
    raise ProductHeld(product_id)


def stored_fields(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as the collection names them, their values as literals: text may begin with a dollar."""
    fields = {name: getattr(Product, name) for name in changes}
    return {field.db_field: {"$literal": field.to_mongo(changes[name])} for name, field in fields.items()}


def current_time() -> datetime:
    """Now, in the milliseconds that MongoDB keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
