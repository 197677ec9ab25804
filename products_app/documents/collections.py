"""Creates the collections with their validators and indexes."""

from typing import Any

from mongoengine import get_db
from pymongo.database import Database
from pymongo.errors import OperationFailure

from products_app.documents import ledger, movements
from products_app.documents.connection import translating_mongodb_errors
from products_app.documents.ledger import LEDGER
from products_app.documents.movements import MOVEMENTS
from products_app.documents.product import PRODUCTS, RETIRED_INDEXES, ProductDocument, validator
from products_app.documents.stock_watch import WATCH, WATCHED

_NAMESPACE_EXISTS = 48


def create_collections() -> None:
    """Create or update the collections, validators and indexes. Raises CatalogueUnavailable.

    Documents that the validator would refuse stay, and can still be changed: their stock must go on to move.
    """
    with translating_mongodb_errors():
        database: Database[dict[str, Any]] = get_db()
        for name in (PRODUCTS, LEDGER, MOVEMENTS, WATCH, WATCHED):
            _create(database, name)
        database.command("collMod", PRODUCTS, validator=validator(), validationLevel="moderate")
        for name in RETIRED_INDEXES & database[PRODUCTS].index_information().keys():
            database[PRODUCTS].drop_index(name)
        ProductDocument.ensure_indexes()
        database[MOVEMENTS].create_indexes(movements.INDEXES)
        if ledger.EXTERNAL_HOLDS not in database[LEDGER].index_information():
            ledger.mark_external_orders()
        database[LEDGER].create_indexes(ledger.INDEXES)


def _create(database: Database[dict[str, Any]], name: str) -> None:
    try:
        database.create_collection(name, check_exists=False)
    except OperationFailure as error:
        if error.code != _NAMESPACE_EXISTS:
            raise
