"""The stock movements: one document for each change of `received`, never changed and never deleted.

    {"_id": ObjectId, "product": ObjectId, "number": 3, "kind": "receipt", "quantity": 20,
     "reason": "Delivery 4711", "actor": "staff:2", "at": …, "productName": "Lantern",
     "stockBefore": 7, "stock": 27, "received": 30}

A product has the number of its last movement in its field `movements`; then its `received` is the sum of the
quantities of its movements.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

from bson import ObjectId
from mongoengine import get_db
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from products_app.documents.reading import is_whole

MOVEMENTS = "stock_movements"

MovementKind = Literal["initial", "receipt", "adjustment", "correction"]


class Movement(TypedDict):
    """A change of `received` by `quantity`, and so of `stock`, except where pieces are counted afterwards.

    `initial`: what a product had when it was created, or when its movements began to be recorded.
    `correction`: the stock was set to a value, or an audit found a change without a movement.
    `stockBefore` and `stock`: the stock before and after it. `received`: the sum of all movements so far.
    `key`: the caller and their idempotency key.
    """

    _id: ObjectId
    product: ObjectId
    productName: str
    number: int
    kind: MovementKind
    quantity: int
    stockBefore: int
    stock: int
    received: int
    reason: str
    actor: str
    at: datetime
    key: NotRequired[str]


INDEXES = [
    IndexModel([("product", ASCENDING), ("number", DESCENDING)], name="movements_of_product"),
    IndexModel(
        [("key", ASCENDING)], name="movement_key", unique=True, partialFilterExpression={"key": {"$gt": ""}}
    ),
]


def movement_collection() -> Collection[Movement]:
    """The collection of the movements."""
    collection: Collection[Any] = get_db()[MOVEMENTS]
    return collection


def are_recorded(product: Mapping[str, Any]) -> bool:
    """Whether all that the product has received is in its movements."""
    return is_whole(product.get("movements")) and product.get("received") is not None


def recorded_sums(
    product_ids: Sequence[ObjectId] | None, session: ClientSession | None = None
) -> dict[ObjectId, tuple[int, int]]:
    """The sum of the movements of these products (None: of all), and the number of the last one.

    A product without movements is left out.
    """
    if product_ids is not None and not product_ids:
        return {}
    of_products = {} if product_ids is None else {"product": {"$in": list(product_ids)}}
    sums = {"_id": "$product", "pieces": {"$sum": "$quantity"}, "last": {"$max": "$number"}}
    collection: Collection[Any] = get_db()[MOVEMENTS]
    found = collection.aggregate(
        [{"$match": of_products}, {"$group": sums}], session=session, allowDiskUse=True
    )
    return {each["_id"]: (each["pieces"], each["last"]) for each in found}
