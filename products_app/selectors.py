"""Reads the catalogue."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal, TypedDict, Unpack

from mongoengine import QuerySet
from msgspec import Struct

from products_app.documents.connection import object_id, translating_mongodb_errors
from products_app.documents.product import Product, product_collection
from products_app.exceptions import ProductNotFound

Ordering = Literal["price", "name", "stock", "created_at", "-price", "-name", "-stock", "-created_at"]


class OrderableProduct(Struct, frozen=True):
    """The fields of a product that placing an order needs."""

    product_id: str
    name: str
    price: Decimal
    is_active: bool


class ProductCriteria(TypedDict, total=False):
    """The filters of a search. `search`: words that must all occur; `tags`: tags that must all be set."""

    search: str
    category: str
    brand: str
    tags: list[str]
    min_price: Decimal
    max_price: Decimal
    in_stock: bool
    is_active: bool
    ordering: Ordering


LOOKUPS = {
    "category": "category",
    "brand": "brand",
    "tags": "tags__all",
    "min_price": "price__gte",
    "max_price": "price__lte",
}


class ProductsFound:
    """The products that match a query: counted by `len`, read by slices. Both raise CatalogueUnavailable."""

    def __init__(self, query: QuerySet) -> None:
        self._query = query

    def __len__(self) -> int:
        with translating_mongodb_errors():
            return int(self._query.count())

    def __getitem__(self, page: slice) -> list[Product]:
        with translating_mongodb_errors():
            return list(self._query[page])


def find_products(*, include_inactive: bool, **criteria: Unpack[ProductCriteria]) -> ProductsFound:
    """The matching products in the requested `ordering`; else best match first, or newest first."""
    query = Product.objects(**{LOOKUPS[name]: value for name, value in criteria.items() if name in LOOKUPS})
    if not include_inactive:
        query = query.filter(is_active__ne=False)
    if "is_active" in criteria:
        query = query.filter(is_active__ne=not criteria["is_active"])
    if "in_stock" in criteria:
        query = query.filter(stock__gt=0) if criteria["in_stock"] else query.filter(stock=0)
    if "search" in criteria:
        query = query.search_text(require_all_words(criteria["search"]))
    default_ordering = "$text_score" if "search" in criteria else "-created_at"
    return ProductsFound(query.order_by(criteria.get("ordering", default_ordering), "-id"))


def require_all_words(text: str) -> str:
    """A MongoDB text query that all words must match: quoted, because unquoted words match one by one."""
    return " ".join(f'"{word}"' for word in text.replace('"', " ").split())


def get_product(*, product_id: str, include_inactive: bool) -> Product:
    """One product. Raises ProductNotFound or CatalogueUnavailable."""
    with translating_mongodb_errors():
        product: Product | None = Product.objects(id=object_id(product_id)).first()
    if product is None or not (product.is_active or include_inactive):
        raise ProductNotFound(product_id)
    return product


def find_products_to_order(product_ids: Iterable[str]) -> dict[str, OrderableProduct]:
    """The products that exist, by product id as spelled in `product_ids`. Raises CatalogueUnavailable."""
    keys = {text: key for text in product_ids if (key := object_id(text))}
    fields = {"name": 1, "price": 1, "isActive": 1}
    with translating_mongodb_errors():
        found = product_collection().find({"_id": {"$in": list(set(keys.values()))}}, fields)
        products = {product["_id"]: orderable(product) for product in found}
    return {text: products[key] for text, key in keys.items() if key in products}


def orderable(product: Mapping[str, Any]) -> OrderableProduct:
    """A document of the collection; a product without a price is not for sale."""
    price = Product.price.to_python(product.get("price"))
    return OrderableProduct(
        product_id=str(product["_id"]),
        name=product.get("name", ""),
        price=price or Decimal(0),
        is_active=product.get("isActive", True) and price is not None,
    )


def ping() -> None:
    """Check that MongoDB's primary answers. Raises CatalogueUnavailable."""
    with translating_mongodb_errors():
        product_collection().database.command("ping")
