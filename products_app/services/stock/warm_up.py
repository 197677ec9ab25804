"""Warming the stock service: the connections to MongoDB, and what server and driver do at the first time."""

from uuid import uuid4

from bson import ObjectId
from mongoengine import get_connection

from products_app.documents.connection import translating_mongodb_errors
from products_app.documents.transactions import DURABLE, SNAPSHOT
from products_app.services.stock.requests import Line, Reserve
from products_app.services.stock.service import settle_in_session


def warm_up() -> None:
    """Settle the reservation of a product that does not exist, and abort the transaction: nothing is written.

    Raises CatalogueUnavailable.
    """
    request = Reserve(str(uuid4()), (Line(str(ObjectId()), 1),))
    with translating_mongodb_errors(), get_connection().start_session() as session:
        session.start_transaction(SNAPSHOT, DURABLE)
        settle_in_session(session, [request], {})
        session.abort_transaction()
