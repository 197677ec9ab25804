"""Records what products received before there were movements: a step of every start (docs/stock.md)."""

from collections.abc import Iterator, Sequence
from functools import partial

from bson import ObjectId
from pymongo.client_session import ClientSession

from products_app.documents.connection import translating_mongodb_errors
from products_app.documents.product import product_collection
from products_app.documents.reading import COUNTS, faults_of
from products_app.documents.transactions import in_transaction
from products_app.exceptions import CatalogueUnavailable
from products_app.services.stock.movements import record_received

AT_ONCE = 100
_WHOLE = ["int", "long"]


def record_earlier_receipts() -> int:
    """Give a first movement to each counted product that lacks its movements; how many there were.

    It may run beside workers and web servers, also those of the version before, and again after a kill: each
    batch is a transaction, and a product whose movements are recorded is passed over. A product that was
    never counted is left to its first reservation. Raises CatalogueUnavailable.
    """
    found = 0
    for product_ids in _unrecorded():
        found += len(product_ids)
        try:
            in_transaction(partial(_record, product_ids=product_ids))
        except CatalogueUnavailable:
            # Orders settle these products all the time: a short transaction gets between them.
            for product_id in product_ids:
                in_transaction(partial(_record, product_ids=[product_id]))
    return found


def _unrecorded() -> Iterator[list[ObjectId]]:
    conditions = {"movements": {"$not": {"$type": _WHOLE}}, "received": {"$type": _WHOLE}}
    last = ObjectId(bytes(12))
    while True:
        with translating_mongodb_errors():
            ids = product_collection().find({**conditions, "_id": {"$gt": last}}, {"_id": 1})
            product_ids = [each["_id"] for each in ids.sort("_id").limit(AT_ONCE)]
        if not product_ids:
            return
        yield product_ids
        last = product_ids[-1]


def _record(session: ClientSession, product_ids: Sequence[ObjectId]) -> None:
    documents = product_collection().find({"_id": {"$in": list(product_ids)}}, session=session)
    record_received(session, [each for each in documents if not COUNTS & faults_of(each).keys()])
