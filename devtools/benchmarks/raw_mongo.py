"""The raw client of MongoDB: a batch of reservations in one transaction, without reads or decisions."""

import time
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from bson import ObjectId
from pymongo import MongoClient, UpdateOne
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

BATCH = 1000
_STOCK = 10**9


class RawMongo:
    """Reserves one piece for each order in collections of its own, with w:majority and j:true."""

    def __init__(self, uri: str, products: int) -> None:
        self._client = MongoClient[dict[str, Any]](uri)
        database = self._client.get_default_database()
        self._stock, self._ledger = database["raw_stock"], database["raw_ledger"]
        self._products = [ObjectId() for _ in range(products)]
        self._stock.insert_many({"_id": product, "stock": _STOCK} for product in self._products)
        self._ledger.insert_one({"_id": uuid.uuid4().hex})

    def rate(self, orders: int) -> float:
        """Orders per second: a conditional $inc per product and an entry per order, in batches of 1,000."""
        entries = iter([self._entry(number) for number in range(orders)])
        started = time.monotonic()
        while batch := list(islice(entries, BATCH)):
            self._settle(batch)
        return orders / (time.monotonic() - started)

    def _settle(self, batch: Sequence[dict[str, Any]]) -> None:
        taken = Counter(product for entry in batch for product in entry["lines"])
        updates = [
            UpdateOne({"_id": ObjectId(product), "stock": {"$gte": count}}, {"$inc": {"stock": -count}})
            for product, count in taken.items()
        ]
        durable = WriteConcern("majority", j=True)
        with (
            self._client.start_session() as session,
            session.start_transaction(ReadConcern("snapshot"), durable),
        ):
            self._stock.bulk_write(updates, ordered=False, session=session)
            self._ledger.insert_many(batch, ordered=False, session=session)

    def _entry(self, number: int) -> dict[str, Any]:
        product = str(self._products[number % len(self._products)])
        line = {"quantity": 1, "held": 1, "newStock": _STOCK}
        now = datetime.now(UTC)
        return {"_id": str(uuid.uuid4()), "status": "reserved", "lines": {product: line}, "updatedAt": now}

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
