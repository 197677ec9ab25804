"""The catalogue: one document for each product, in the collection `products`."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from bson import Decimal128
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

PRODUCTS = "products"


class MoneyField(Decimal128Field):  # type: ignore[misc]  # mongoengine is untyped
    """An exact amount of money. Reads a double that another program stored as its shortest decimal form."""

    def to_python(self, value: Decimal128 | Decimal | float | None) -> Decimal | None:
        """The amount as a Decimal."""
        amount: Decimal | None = super().to_python(str(value) if isinstance(value, float) else value)
        return amount


class Product(Document):  # type: ignore[misc]  # mongoengine is untyped
    """A product. `stock` is the pieces that can still be sold, `received` all that were ever put in.

    `stock` is always `received` minus the pieces that orders hold. Only `services` write these two fields.
    A product that another program wrote may lack `received`: then no order holds a piece of it.
    """

    name = StringField(required=True)
    description = StringField(default="")
    price = MoneyField(required=True)
    category = StringField(default="")
    stock = IntField(default=0, min_value=0)
    received = IntField(min_value=0)
    image_url = StringField(db_field="imageUrl", default="")
    sku = StringField(default="")
    brand = StringField(default="")
    tags = ListField(StringField())
    is_active = BooleanField(db_field="isActive", default=True)
    created_at = DateTimeField(db_field="createdAt")
    updated_at = DateTimeField(db_field="updatedAt")

    meta: ClassVar = {
        "collection": PRODUCTS,
        "strict": False,
        "auto_create_index": False,
        "indexes": [
            {
                "fields": ["$name", "$brand", "$category", "$tags", "$sku", "$description"],
                "name": "search",
                "weights": {"name": 10, "brand": 5, "category": 5, "tags": 5, "sku": 5, "description": 1},
            },
            {"fields": ["sku"], "unique": True, "partialFilterExpression": {"sku": {"$gt": ""}}},
            ["category", "price"],
            ["brand", "price"],
            ["tags", "price"],
            "price",
            "name",
            "-created_at",
            # No index on stock: it would halve the speed of the stock service.
        ],
    }

    @property
    def in_stock(self) -> bool:
        """Whether at least one piece can be sold."""
        return bool(self.stock)

    @property
    def created(self) -> datetime:
        """When the product was created; by its id if the field is missing."""
        created: datetime = self.created_at or self.id.generation_time
        return created

    @property
    def updated(self) -> datetime:
        """When staff last changed the product."""
        updated: datetime = self.updated_at or self.created
        return updated


_COUNT = {"bsonType": ["int", "long"], "minimum": 0}
VALIDATOR = {
    "$jsonSchema": {
        "bsonType": "object",
        "required": ["stock"],
        "properties": {"stock": _COUNT, "received": _COUNT},
    }
}


def product_collection() -> Collection[dict[str, Any]]:
    """The collection itself, for bulk writes and for updates that mongoengine cannot express."""
    collection: Collection[dict[str, Any]] = get_db()[PRODUCTS]
    return collection
