"""Reading the catalogue."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal, TypedDict, Unpack

from mongoengine import QuerySet
from msgspec import Struct

from products_app.documents.connection import object_id, reaching_catalogue
from products_app.documents.product import Product, product_collection
from products_app.exceptions import ProductNotFound

Ordering = Literal["price", "name", "stock", "created_at", "-price", "-name", "-stock", "-created_at"]


class OrderableProduct(Struct, frozen=True):
    """What an order takes from the catalogue."""

    product_id: str
    name: str
    price: Decimal
    is_active: bool


class ProductCriteria(TypedDict, total=False):
    """What is looked for. `search`: words that must all occur; `tags`: all of them."""

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
    """Products that match, counted and fetched a slice at a time. Both may raise CatalogueUnavailable."""

    def __init__(self, query: QuerySet) -> None:
        self._query = query

    def __len__(self) -> int:
        with reaching_catalogue():
            return int(self._query.count())

    def __getitem__(self, places: slice) -> list[Product]:
        with reaching_catalogue():
            return list(self._query[places])


def find_products(*, include_inactive: bool, **criteria: Unpack[ProductCriteria]) -> ProductsFound:
    """The matching products, in the `ordering` asked for; else best match first, or newest first."""
    query = Product.objects(**{LOOKUPS[name]: value for name, value in criteria.items() if name in LOOKUPS})
    if not include_inactive:
        query = query.filter(is_active__ne=False)
    if "is_active" in criteria:
        query = query.filter(is_active__ne=not criteria["is_active"])
    if "in_stock" in criteria:
        query = query.filter(stock__gt=0) if criteria["in_stock"] else query.filter(stock=0)
    if "search" in criteria:
        query = query.search_text(all_words(criteria["search"]))
    usual = "$text_score" if "search" in criteria else "-created_at"
    return ProductsFound(query.order_by(criteria.get("ordering", usual), "-id"))


def all_words(text: str) -> str:
    """A text query for every one of these words; bare words would ask for any of them."""
    return " ".join(f'"{word}"' for word in text.replace('"', " ").split())


def get_product(*, product_id: str, include_inactive: bool) -> Product:
    """One product. Raises ProductNotFound or CatalogueUnavailable."""
    with reaching_catalogue():
        product: Product | None = Product.objects(id=object_id(product_id)).first()
    if product is None or not (product.is_active or include_inactive):
        raise ProductNotFound(product_id)
    return product


def find_products_to_order(product_ids: Iterable[str]) -> dict[str, OrderableProduct]:
    """The products that exist, by each id as it was given. One without a price is not for sale.

    Raises CatalogueUnavailable.
    """
    keys = {text: key for text in product_ids if (key := object_id(text))}
    fields = {"name": 1, "price": 1, "isActive": 1}
    with reaching_catalogue():
        found = product_collection().find({"_id": {"$in": list(set(keys.values()))}}, fields)
        products = {product["_id"]: orderable(product) for product in found}
    return {text: products[key] for text, key in keys.items() if key in products}


def orderable(product: Mapping[str, Any]) -> OrderableProduct:
    """A product of the collection, put there by us or by somebody else."""
    price = Product.price.to_python(product.get("price"))
    return OrderableProduct(
        product_id=str(product["_id"]),
        name=product.get("name", ""),
        price=price or Decimal(0),
        is_active=product.get("isActive", True) and price is not None,
    )


def ping() -> None:
    """Do nothing but reach MongoDB's primary. Raises CatalogueUnavailable."""
    with reaching_catalogue():
        product_collection().database.command("ping")
