"""Reads the catalogue.

A product that cannot be read (`documents/reading.py`) is passed over: no list has it, and it is not for sale.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from decimal import Decimal
from typing import Any, Literal, TypedDict, Unpack

from bson import Decimal128, ObjectId, Regex
from msgspec import Struct
from pymongo import ReadPreference
from pymongo.client_session import ClientSession

from products_app.documents.connection import object_id, translating_mongodb_errors
from products_app.documents.product import AS_PEOPLE_SORT, product_collection
from products_app.documents.reading import (
    NEEDED_FIELDS,
    find_readable,
    is_name,
    read_product,
)
from products_app.documents.reading import Product as Product  # noqa: PLC0414 - for the orders, too
from products_app.documents.search_words import singulars, words_in
from products_app.documents.unlisted import list_unlisted, unlist
from products_app.exceptions import ProductNotFound
from web.bounded_count import Count

Ordering = Literal["price", "name", "stock", "created_at", "-price", "-name", "-stock", "-created_at"]
Conditions = dict[str, Any]


class OrderableProduct(Struct, frozen=True):
    """The fields of a product that placing an order needs."""

    product_id: str
    name: str
    price: Decimal
    is_active: bool
    category: str = ""


class ProductCriteria(TypedDict, total=False):
    """The filters of a search.

    `search`: beginnings of words that must all occur; `tags`: tags that must all be set.
    """

    search: str
    category: str
    brand: str
    tags: list[str]
    min_price: Decimal
    max_price: Decimal
    in_stock: bool
    low_stock: bool
    is_active: bool
    ordering: Ordering


ACTIVE: Conditions = {"isActive": {"$in": [True, None]}}
INACTIVE: Conditions = {"isActive": False}
LOW_STOCK: Conditions = {
    "lowStockAt": {"$gt": 0, "$type": ["int", "long"]},
    "$expr": {"$lt": ["$stock", "$lowStockAt"]},
}
LISTED: Conditions = {"nameWords": {"$exists": True}}
SAMPLE_PRODUCTS = 1_000
MAX_CATEGORY = 100
"""What is longer is cut off in orders; the API takes none that is longer."""
MAX_CATEGORIES = 1_000
CATEGORIES: list[dict[str, Any]] = [
    {"$match": {"category": {"$gt": ""}}},
    {"$sort": {"category": 1}},
    {"$group": {"_id": "$category"}},
    {"$sort": {"_id": 1}},
]
"""The stages that find the categories, by one look into the index for each."""
ORDERED_FIELDS = {**NEEDED_FIELDS, "category": 1}
ANY_MEMBER = ReadPreference.PRIMARY_PREFERRED
"""The primary, and a secondary while there is no primary (ADR 55)."""
BEST_MATCH = "rank"
"""The field that is added to the products of a search: how well they match."""


class ProductsFound:
    """The products that match: read by slices or all, and counted. Each raises CatalogueUnavailable.

    Products that a slice met and that cannot be read are no longer listed: count afterwards.
    """

    def __init__(self, conditions: Sequence[Conditions], words: Sequence[str], ordering: str) -> None:
        self._conditions = {"$and": conditions}
        self._words = words
        self._ordering = ordering

    def bounded_count(self, limit: int) -> Count:
        """How many there are; estimated from a sample of the catalogue where there are more than `limit`."""
        products = product_collection()
        with translating_mongodb_errors():
            counted = products.count_documents(self._conditions, limit=limit + 1)
            if counted <= limit:
                return Count(counted, is_exact=True)
            sample: list[dict[str, Any]] = [
                {"$sample": {"size": SAMPLE_PRODUCTS}},
                {"$match": self._conditions},
                {"$count": "found"},
            ]
            found = sum(row["found"] for row in products.aggregate(sample))
            estimate = products.estimated_document_count() * found // SAMPLE_PRODUCTS
        return Count(max(counted, estimate), is_exact=False)

    def __getitem__(self, page: slice) -> list[Product]:
        with translating_mongodb_errors():
            documents = list(product_collection().aggregate(self._stages(page), collation=self._collation))
            products = [product for document in documents if (product := find_readable(document))]
            if len(products) == len(documents):
                return products
            readable = {product.id for product in products}
            unlist([document["_id"] for document in documents if str(document["_id"]) not in readable])
        return self[page]

    def __iter__(self) -> Iterator[Product]:
        """All of them, as they are read. Raises CatalogueUnavailable."""
        with translating_mongodb_errors():
            stages = self._stages(None)
            found = product_collection().aggregate(stages, collation=self._collation, allowDiskUse=True)
            yield from filter(None, map(find_readable, found))

    def _stages(self, page: slice | None) -> list[dict[str, Any]]:
        rank = [{"$set": {BEST_MATCH: _rank(self._words)}}] if self._ordering == f"-{BEST_MATCH}" else []
        direction = -1 if self._ordering.startswith("-") else 1
        sort = {self._ordering.removeprefix("-"): direction, "_id": direction}
        skip = (page.start or 0) if page else 0
        part = [{"$skip": skip}, {"$limit": page.stop - skip}] if page else []
        return [{"$match": self._conditions}, *rank, {"$sort": sort}, *part]

    @property
    def _collation(self) -> dict[str, Any] | None:
        return AS_PEOPLE_SORT if is_by_name(self._ordering) else None


def find_products(*, include_inactive: bool, **criteria: Unpack[ProductCriteria]) -> ProductsFound:
    """The matching products in the requested `ordering`; else best match first, or newest first.

    Products that another program wrote are found too. Raises CatalogueUnavailable.
    """
    with translating_mongodb_errors():
        list_unlisted()
    words = words_in(criteria.get("search", ""))
    conditions = [LISTED] if include_inactive else [LISTED, ACTIVE]
    conditions += _conditions(criteria)
    if "search" in criteria:
        # A text without words, such as "+", matches nothing.
        conditions += [_has_word(word) for word in words] or [{"searchWords": {"$in": []}}]
    return ProductsFound(conditions, words, _stored_ordering(criteria))


def _stored_ordering(criteria: ProductCriteria) -> str:
    default = f"-{BEST_MATCH}" if "search" in criteria else "-createdAt"
    ordering: str = criteria.get("ordering", default)
    return ordering.replace("created_at", "createdAt")


def is_by_name(ordering: str | None) -> bool:
    """Whether a list is sorted by names, which are then compared as people do."""
    return ordering in {"name", "-name"}


def _conditions(criteria: ProductCriteria) -> list[Conditions]:
    exactly: Callable[[str], object] = _exactly if is_by_name(criteria.get("ordering")) else str
    conditions: list[Conditions] = [{"tags": exactly(tag)} for tag in criteria.get("tags", [])]
    if "category" in criteria:
        conditions.append({"category": exactly(criteria["category"])})
    if "brand" in criteria:
        conditions.append({"brand": exactly(criteria["brand"])})
    if "min_price" in criteria:
        conditions.append({"price": {"$gte": Decimal128(criteria["min_price"])}})
    if "max_price" in criteria:
        conditions.append({"price": {"$lte": Decimal128(criteria["max_price"])}})
    if "in_stock" in criteria:
        conditions.append({"stock": {"$gt": 0} if criteria["in_stock"] else 0})
    if "low_stock" in criteria:
        conditions.append(LOW_STOCK if criteria["low_stock"] else {"$nor": [LOW_STOCK]})
    if "is_active" in criteria:
        conditions.append(ACTIVE if criteria["is_active"] else INACTIVE)
    return conditions


def _exactly(text: str) -> Regex[str]:
    """A condition for this very text, where a collation would take capitals for small letters."""
    return Regex(rf"^{re.escape(text)}\z")


def _has_word(word: str) -> Conditions:
    """A word begins like this one, or is a singular of it. Words have only letters and digits."""
    return {"searchWords": {"$in": [Regex(f"^{word}"), *map(_exactly, sorted(singulars(word)))]}}


def _rank(words: Sequence[str]) -> dict[str, Any]:
    """How many of the words occur whole, counted once more for each in the name."""
    fields = ("$nameWords", "$searchWords")
    return {"$add": [{"$size": {"$setIntersection": [field, list(words)]}} for field in fields]}


def get_product(*, product_id: str, include_inactive: bool) -> Product:
    """One product.

    Raises ProductNotFound or CatalogueUnavailable, and ProductUnreadable with `include_inactive`.
    """
    document = get_document(product_id)
    product = read_product(document) if include_inactive else find_readable(document)
    if product is None or not (product.is_active or include_inactive):
        raise ProductNotFound(product_id)
    return product


def find_categories(limit: int = MAX_CATEGORIES) -> list[str]:
    """The categories of the catalogue, sorted; the first `limit`. Raises CatalogueUnavailable."""
    with translating_mongodb_errors():
        found = product_collection().aggregate([*CATEGORIES, {"$limit": limit}])
        return [row["_id"] for row in found]


def get_document(product_id: str, session: ClientSession | None = None) -> dict[str, Any]:
    """The stored document of a product, readable or not; with a session, as its transaction sees it.

    Raises ProductNotFound, or CatalogueUnavailable; in a session the driver's own errors.
    """
    with nullcontext() if session else translating_mongodb_errors():
        document = product_collection().find_one({"_id": object_id(product_id)}, session=session)
    if document is None:
        raise ProductNotFound(product_id)
    return document


def find_products_by_id(product_ids: Iterable[str]) -> dict[str, Product]:
    """Those of these products that can be read, inactive ones too, by id. Raises CatalogueUnavailable."""
    keys = [key for text in product_ids if (key := object_id(text))]
    with translating_mongodb_errors():
        found = product_collection().find({"_id": {"$in": keys}})
        products = [product for document in found if (product := find_readable(document))]
    return {product.id: product for product in products}


def find_products_to_order(product_ids: Iterable[str]) -> dict[str, OrderableProduct]:
    """The products that exist, by product id as spelled in `product_ids`. Raises CatalogueUnavailable.

    While MongoDB has no primary, they are read from a secondary, which may be behind: orders are taken then.
    """
    keys = {text: key for text in product_ids if (key := object_id(text))}
    with translating_mongodb_errors():
        collection = product_collection().with_options(read_preference=ANY_MEMBER)
        found = collection.find({"_id": {"$in": list(set(keys.values()))}}, ORDERED_FIELDS)
        products = {document["_id"]: orderable(document) for document in found}
    return {text: products[key] for text, key in keys.items() if key in products}


def orderable(document: Mapping[str, Any]) -> OrderableProduct:
    """A document of the collection; one that cannot be read is not for sale."""
    product = find_readable(document)
    if product is None:
        name = document.get("name")
        product_id = str(document["_id"])
        return OrderableProduct(product_id, name if is_name(name) else product_id, Decimal(0), False)
    category = product.category.replace("\0", "")[:MAX_CATEGORY]  # PostgreSQL keeps no NUL
    return OrderableProduct(product.id, product.name, product.price, product.is_active, category)


def warm_up_catalogue() -> None:
    """Read the catalogue as placing an order does, for a product that does not exist.

    Raises CatalogueUnavailable.
    """
    find_products_to_order([str(ObjectId())])


def ping() -> None:
    """Check that MongoDB answers what an order needs to be placed. Raises CatalogueUnavailable."""
    with translating_mongodb_errors():
        product_collection().database.command("ping", read_preference=ANY_MEMBER)
