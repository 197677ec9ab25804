"""The catalogue: one document for each product, in the collection `products`."""

from functools import cache
from typing import Any, ClassVar

from bson import Decimal128, Int64
from django.conf import settings
from mongoengine import (
    BooleanField,
    DateTimeField,
    Decimal128Field,
    Document,
    IntField,
    ListField,
    StringField,
    get_db,
)
from pymongo.collection import Collection

from foundation.currencies import largest_amount, smallest_unit
from products_app.documents.reading import MAX_COUNT, MAX_NAME, PRICE_DIGITS

PRODUCTS = "products"
AS_PEOPLE_SORT: dict[str, Any] = {"locale": "en", "strength": 2}
"""The collation of names: capitals count as small letters, so that apple precedes Zebra."""


class ProductDocument(Document):  # type: ignore[misc]  # mongoengine is untyped
    """A product as it is stored; `reading.read_product` reads it.

    `stock` is the pieces that can still be sold, `received` all that were ever put in. `stock` is always
    `received` minus the pieces that orders hold. Only `services` write these two fields. A product that
    another program wrote may lack `received`: then no order holds a piece of it. `movements` is the number of
    its last stock movement; a product without it has received something before movements were recorded.
    `nameWords` and `searchWords` are made from the other fields (`search_words.py`). A product that has none
    is not listed until a list finds it and adds them.
    """

    name = StringField(required=True)
    description = StringField(default="")
    price = Decimal128Field(required=True)
    category = StringField(default="")
    stock = IntField(default=0, min_value=0)
    received = IntField(min_value=0)
    movements = IntField(min_value=0)
    low_stock_at = IntField(db_field="lowStockAt", default=0, min_value=0)
    image_url = StringField(db_field="imageUrl", default="")
    sku = StringField(default="")
    brand = StringField(default="")
    tags = ListField(StringField())
    is_active = BooleanField(db_field="isActive", default=True)
    created_at = DateTimeField(db_field="createdAt")
    updated_at = DateTimeField(db_field="updatedAt")
    name_words = ListField(StringField(), db_field="nameWords")
    search_words = ListField(StringField(), db_field="searchWords")

    meta: ClassVar = {
        "collection": PRODUCTS,
        "strict": False,
        "auto_create_index": False,
        # Each order of lists ends with the id, so that pages are stable. There is no index on stock: it would
        # halve the speed of the stock service.
        "indexes": [
            {"fields": ["sku"], "unique": True, "partialFilterExpression": {"sku": {"$gt": ""}}},
            ["category", "price"],
            ["brand", "price"],
            ["tags", "price"],
            ["price", "id"],
            ["created_at", "id"],
            {"fields": ["name", "id"], "name": "name_as_people_sort", "collation": AS_PEOPLE_SORT},
            "search_words",
            # Few products have one, and settling does not change it.
            {
                "fields": ["low_stock_at"],
                "partialFilterExpression": {"lowStockAt": {"$gt": 0}},
            },
        ],
    }


RETIRED_INDEXES = {"search", "price_1", "name_1", "createdAt_-1"}
"""Indexes that earlier versions created."""

_COUNT = {"minimum": 0, "maximum": Int64(MAX_COUNT)}


def validator() -> dict[str, Any]:
    """Refuses what `read_product` cannot read; prices have the decimals of the installation's currency."""
    return _validator(settings.CURRENCY)


@cache
def _validator(currency: str) -> dict[str, Any]:
    return {
        "$jsonSchema": {
            "bsonType": "object",
            "required": ["_id", "name", "price", "stock"],
            "properties": {
                "_id": {"bsonType": "objectId"},
                # (*UCP): white space is what Unicode calls so, as in Python.
                "name": {
                    "bsonType": "string",
                    "maxLength": MAX_NAME,
                    "pattern": r"(*UCP)^(?=[\s\S]*\S)[^\x00]*$",
                },
                "price": {
                    "bsonType": ["decimal", "double", "int", "long"],
                    "minimum": 0,
                    "maximum": Decimal128(largest_amount(currency, PRICE_DIGITS)),
                    "multipleOf": Decimal128(smallest_unit(currency)),
                },
                "stock": {"bsonType": ["int", "long"], **_COUNT},
                "received": {"bsonType": ["int", "long", "null"], **_COUNT},
                "isActive": {"bsonType": ["bool", "null"]},
            },
        }
    }


def product_collection() -> Collection[dict[str, Any]]:
    """The collection itself, for queries, bulk writes, and updates that mongoengine cannot express."""
    collection: Collection[dict[str, Any]] = get_db()[PRODUCTS]
    return collection
