"""The catalogue: one document a product, in the collection `products`."""

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
    """An exact amount. Reads a double that somebody else stored as the amount it prints as."""

    def to_python(self, value: Decimal128 | Decimal | float | None) -> Decimal | None:
        """The amount as a Decimal."""
        amount: Decimal | None = super().to_python(str(value) if isinstance(value, float) else value)
        return amount


class Product(Document):  # type: ignore[misc]  # mongoengine is untyped
    """What is sold. `stock` is what can still be sold, `received` all that was ever put in.

    `stock = received - what live reservations hold`. Only `services` write these two. A product that
    somebody else put into the collection may lack `received`: then nothing is held of it.
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
            # None on stock: it would cost the stock service half its speed.
        ],
    }

    @property
    def in_stock(self) -> bool:
        """Whether any piece can be sold."""
        return bool(self.stock)

    @property
    def created(self) -> datetime:
        """When it was created; its id tells where nothing else does."""
        created: datetime = self.created_at or self.id.generation_time
        return created

    @property
    def updated(self) -> datetime:
        """When staff last changed it."""
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
    """The collection itself, for bulk work and updates that mongoengine cannot say."""
    collection: Collection[dict[str, Any]] = get_db()[PRODUCTS]
    return collection
