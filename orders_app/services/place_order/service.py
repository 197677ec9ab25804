"""The service that places orders; orders that are asked for at the same time are placed together."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from django.db import DatabaseError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import ForeignKeyViolation, ProgramLimitExceeded

from foundation.group_commit import GroupCommit
from foundation.metrics import ORDERS_PLACED
from foundation.shared_connection import shared_connection
from foundation.tracing import batch_span
from orders_app.document import OrderDocument
from orders_app.exceptions import CustomerNotFound
from orders_app.services.place_order.idempotency import find_placed
from orders_app.services.place_order.new_order import as_shown, new_order, with_new_number
from orders_app.services.place_order.request import Outcome, Placement, PlacementRequest
from orders_app.services.place_order.writing import write_orders
from products_app.selectors import find_products_to_order

PLACING = "placing"
MAX_BATCH = 100

T = TypeVar("T")

# By the index of the request in its batch.
Requests = Mapping[int, PlacementRequest]
Orders = dict[int, OrderDocument]
Outcomes = dict[int, Outcome]


def place_orders(requests: Sequence[PlacementRequest], database: BaseDatabaseWrapper) -> list[Outcome]:
    """Place these orders together; for each request its placement, or why there is none.

    `database` is a connection to PostgreSQL outside any transaction. Where PostgreSQL refuses the batch, each
    order is placed alone. While the catalogue is unavailable, its error is the outcome of all new orders.
    Raises the errors of PostgreSQL while it is unavailable.
    """
    try:
        return _place_together(dict(enumerate(requests)), database)
    except DatabaseError as error:
        if is_outage(error):
            raise
        if len(requests) > 1:
            return [outcome for request in requests for outcome in place_orders([request], database)]
        is_orphan = isinstance(error.__cause__, ForeignKeyViolation)
        return [CustomerNotFound(requests[0].user_id) if is_orphan else error]


def is_outage(error: DatabaseError) -> bool:
    """Whether PostgreSQL failed, not the orders: then it is not known either whether they were written."""
    is_of_the_data = isinstance(error.__cause__, ProgramLimitExceeded)
    return isinstance(error, OperationalError) and not is_of_the_data


def _place_recorded(requests: Sequence[PlacementRequest]) -> list[Outcome]:
    trace_parents = (request.origin.trace_parent for request in requests)
    with batch_span("place orders", trace_parents, member="place order", size=len(requests)):
        return place_orders(requests, shared_connection(PLACING))


PLACEMENTS = GroupCommit[PlacementRequest, Placement](_place_recorded, limit=MAX_BATCH)
"""Places orders at the catalogue's prices; one idempotency key of a user gives one order.

Its calls raise EmptyOrder, OrderTooLarge, UnknownProducts, InactiveProducts, PriceChanged,
IdempotencyKeyReused or CustomerNotFound, and the catalogue's own error while it is unavailable: then nothing
was placed. An error of PostgreSQL leaves it open.
"""


def _place_together(requests: Requests, database: BaseDatabaseWrapper) -> list[Outcome]:
    orders: Orders = {}
    outcomes: Outcomes = {}
    try:
        orders, outcomes = _new_orders(requests)
    except Exception as error:  # of the catalogue; a request that was sent before needs no catalogue
        outcomes |= dict.fromkeys(requests, error)
    # An order that exists comes before a refusal. Requests are rarely sent again, so that new orders are
    # written without looking for earlier ones: the database tells when a key is taken.
    outcomes |= find_placed({index: requests[index] for index in outcomes}, database)
    while orders:
        asked = [(order, requests[index]) for index, order in orders.items()]
        written = write_orders(asked, database)
        ORDERS_PLACED.inc(len(written))
        outcomes |= {
            index: Placement(as_shown(order), replayed=False)
            for index, order in orders.items()
            if order.id in written
        }
        # The others were not written because their key is taken, or by chance their order number.
        outcomes |= find_placed(_without(requests, outcomes), database)
        orders = {index: with_new_number(order) for index, order in _without(orders, outcomes).items()}
    return [outcomes[index] for index in requests]


def _new_orders(requests: Requests) -> tuple[Orders, Outcomes]:
    """The orders to be written, and the refusals of the other requests. Raises the catalogue's errors."""
    product_ids = {item.product_id for request in requests.values() for item in request.items}
    products = find_products_to_order(product_ids) if product_ids else {}
    orders: Orders = {}
    refusals: Outcomes = {}
    for index, request in requests.items():
        try:
            orders[index] = new_order(request, products)
        except Exception as refusal:  # whatever it is, it is about this request alone
            refusals[index] = refusal
    return orders, refusals


def _without(indexed: Mapping[int, T], outcomes: Outcomes) -> dict[int, T]:
    return {index: each for index, each in indexed.items() if index not in outcomes}
