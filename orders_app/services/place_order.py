"""Placing orders: the hot path. One look at the catalogue and one SQL statement for all placed at once."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from django.db import DataError, IntegrityError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from msgspec import Struct
from psycopg.errors import ForeignKeyViolation
from uuid6 import uuid7

from foundation.group_commit import Gathering
from foundation.shared_connection import warm_connection
from orders_app import event_data
from orders_app.document import OrderDocument, OrderLine, ShippingAddress
from orders_app.event_data import EventType
from orders_app.event_log import INSERT_EVENTS, Origin, append_within, new_event
from orders_app.exceptions import (
    CustomerNotFound,
    EmptyOrder,
    IdempotencyKeyReused,
    InactiveProducts,
    OrderNotPlaceable,
    OrderTooLarge,
    PlacedInTransaction,
    UnknownProducts,
)
from orders_app.messages import ProductId, Quantity
from orders_app.models import Order
from orders_app.models.rows import as_json, columns_of, document_of, item_rows
from orders_app.selectors import all_orders
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus, StockStatus
from products_app.selectors import OrderableProduct, find_products_to_order

PLACING = "placing"
CURRENCY = "USD"
MAX_GATHERED = 100
MAX_PRODUCTS = 1_000
MAX_PIECES = 1_000_000
MAX_TOTAL = Decimal("999999999999.99")
CENT = Decimal("0.01")
CROCKFORD_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class ItemRequest(Struct, frozen=True, rename="camel"):
    """One line of what the customer wants."""

    product_id: ProductId
    quantity: Quantity


class PlacementRequest(Struct, frozen=True):
    """What is asked for, and by whom; without a key (empty) a request is never known again."""

    user_id: int
    items: Sequence[ItemRequest]
    shipping_address: ShippingAddress
    payment_method: PaymentMethod
    idempotency_key: str
    origin: Origin

    @property
    def hash(self) -> str:
        """The same for two requests that ask for the same."""
        asked_for = (self.items, self.shipping_address, self.payment_method)
        return hashlib.sha256(msgspec.json.encode(asked_for)).hexdigest()


class Placement(Struct, frozen=True):
    """The order, and whether it was there before: the customer sent the same request again."""

    order: OrderDocument
    replayed: bool


Outcome = Placement | Exception
# By what a request is known again: its user and key.
Name = tuple[int, str]
# By their place in the batch.
Requests = Mapping[int, PlacementRequest]
Outcomes = dict[int, Outcome]


def place_order(  # noqa: PLR0913 - all that makes a placement, by keyword
    *,
    user_id: int,
    items: Sequence[ItemRequest],
    shipping_address: ShippingAddress,
    payment_method: PaymentMethod,
    idempotency_key: str | None,
    origin: Origin,
) -> Placement:
    """Place an order at the catalogue's prices; one idempotency key of a user gives one order.

    What several threads place at the same time is committed together. Raises EmptyOrder, OrderTooLarge,
    UnknownProducts, InactiveProducts, IdempotencyKeyReused or CustomerNotFound, and the catalogue's own error
    while it cannot be reached; then nothing was placed. Raises PlacedInTransaction where one is open.
    """
    if connection.in_atomic_block:
        raise PlacedInTransaction("the orders of other customers may be committed with this one")
    return _gathering.call(
        PlacementRequest(user_id, items, shipping_address, payment_method, idempotency_key or "", origin)
    )


def place_orders(requests: Sequence[PlacementRequest], database: BaseDatabaseWrapper) -> list[Outcome]:
    """Place these orders together; for each its placement, or the refusal that `place_order` raises.

    `database` is a connection to PostgreSQL outside any transaction. Where PostgreSQL refuses one of them,
    each is placed alone. While the catalogue cannot be reached, its error is that of all new ones. Raises the
    errors of PostgreSQL while it cannot be reached.
    """
    try:
        return _place_together(dict(enumerate(requests)), database)
    except (IntegrityError, DataError) as error:
        if len(requests) > 1:
            return [outcome for request in requests for outcome in place_orders([request], database)]
        is_orphan = isinstance(error.__cause__, ForeignKeyViolation)
        return [CustomerNotFound(requests[0].user_id) if is_orphan else error]


_gathering = Gathering[PlacementRequest, Placement](
    lambda requests: place_orders(requests, warm_connection(PLACING)), limit=MAX_GATHERED
)


def _place_together(requests: Requests, database: BaseDatabaseWrapper) -> list[Outcome]:
    documents: dict[int, OrderDocument] = {}
    outcomes: Outcomes = {}
    try:
        documents, outcomes = _new_documents(requests)
    except Exception as error:  # the catalogue's: not for those who were answered before
        outcomes |= dict.fromkeys(requests, error)
    # Sent again is rare, so it is looked for after the attempt; it comes before any refusal.
    outcomes |= _find_earlier({place: requests[place] for place in outcomes}, database)
    while documents:
        written = _insert([(document, requests[place]) for place, document in documents.items()], database)
        placed = {place: document for place, document in documents.items() if document.id in written}
        outcomes |= {place: Placement(document, replayed=False) for place, document in placed.items()}
        # The key or the number of the others is taken: by an earlier request, or by chance.
        outcomes |= _find_earlier(_without(requests, outcomes), database)
        documents = {
            place: msgspec.structs.replace(document, order_number=new_order_number())
            for place, document in documents.items()
            if place not in outcomes
        }
    return [outcomes[place] for place in requests]


def _without(requests: Requests, outcomes: Outcomes) -> Requests:
    return {place: request for place, request in requests.items() if place not in outcomes}


def _find_earlier(requests: Requests, database: BaseDatabaseWrapper) -> Outcomes:
    """What came of those requests whose key has an order already."""
    keyed = {place: request for place, request in requests.items() if request.idempotency_key}
    if not keyed:
        return {}
    orders = _orders_of({_name(request) for request in keyed.values()}, database)
    return {
        place: _replay(request, orders[name])
        for place, request in keyed.items()
        if (name := _name(request)) in orders
    }


FIND_NAMED = """
SELECT id FROM orders_order JOIN unnest(%s::bigint[], %s::text[]) AS named (user_id, idempotency_key)
USING (user_id, idempotency_key) WHERE idempotency_key <> ''
"""


def _orders_of(names: Collection[Name], database: BaseDatabaseWrapper) -> dict[Name, Order]:
    """The orders that there are under these names; hardly ever any, so the look for them costs little."""
    users, keys = zip(*names, strict=True)
    with database.cursor() as cursor:
        cursor.execute(FIND_NAMED, [list(users), list(keys)])
        ids = [order_id for (order_id,) in cursor.fetchall()]
    orders = all_orders().filter(pk__in=ids) if ids else []
    return {(order.user_id, order.idempotency_key): order for order in orders}


def _name(request: PlacementRequest) -> Name:
    return request.user_id, request.idempotency_key


def _replay(request: PlacementRequest, order: Order) -> Outcome:
    if order.request_hash != request.hash:
        return IdempotencyKeyReused(request.idempotency_key)
    return Placement(document_of(order), replayed=True)


def _new_documents(requests: Requests) -> tuple[dict[int, OrderDocument], Outcomes]:
    """The orders to be written, and the refusals of those that cannot be."""
    wanted = {item.product_id for request in requests.values() for item in request.items}
    products = find_products_to_order(wanted) if wanted else {}
    documents: dict[int, OrderDocument] = {}
    refusals: Outcomes = {}
    for place, request in requests.items():
        try:
            documents[place] = _new_document(request, _priced(request.items, products))
        except OrderNotPlaceable as refusal:
            refusals[place] = refusal
    return documents, refusals


def _priced(items: Sequence[ItemRequest], products: Mapping[str, OrderableProduct]) -> tuple[OrderLine, ...]:
    """The lines of the order, one a product, in the order of the request."""
    if not items:
        raise EmptyOrder
    if unknown := sorted({item.product_id for item in items} - products.keys()):
        raise UnknownProducts(unknown)
    quantities: Counter[OrderableProduct] = Counter()
    for item in items:
        quantities[products[item.product_id]] += item.quantity
    if inactive := {product.product_id: product.name for product in quantities if not product.is_active}:
        raise InactiveProducts(list(inactive), list(inactive.values()))
    _check_size(quantities)
    return tuple(
        OrderLine(product.product_id, product.name, quantity, product.price.quantize(CENT))
        for product, quantity in quantities.items()
    )


def _check_size(quantities: Counter[OrderableProduct]) -> None:
    if len(quantities) > MAX_PRODUCTS:
        raise OrderTooLarge("different products", MAX_PRODUCTS)
    if max(quantities.values()) > MAX_PIECES:
        raise OrderTooLarge("pieces of one product", MAX_PIECES)


def _new_document(request: PlacementRequest, lines: tuple[OrderLine, ...]) -> OrderDocument:
    now = timezone.now()
    return OrderDocument(
        id=uuid7(),
        order_number=new_order_number(),
        user_id=str(request.user_id),
        items=lines,
        total_amount=_total(lines),
        currency=CURRENCY,
        status=OrderStatus.PENDING,
        status_label=OrderStatus.PENDING.label,
        stock_status=StockStatus.PENDING,
        payment_status=PaymentStatus.PENDING,
        payment_method=request.payment_method,
        shipping_address=request.shipping_address,
        tracking_number=None,
        cancel_reason=None,
        created_at=now,
        updated_at=now,
        shipped_at=None,
        delivered_at=None,
        cancelled_at=None,
        version=1,
    )


def _total(lines: Sequence[OrderLine]) -> Decimal:
    total = sum((line.price * line.quantity for line in lines), Decimal("0.00"))
    if total > MAX_TOTAL:
        raise OrderTooLarge(f"{CURRENCY} in total", int(MAX_TOTAL))
    return total


def new_order_number() -> str:
    """A random number that people can read out, such as SB-7K3M-Q9ZT: 40 bits, without I, L, O and U."""
    bits = secrets.randbits(40)
    digits = "".join(CROCKFORD_BASE32[bits >> shift & 31] for shift in range(0, 40, 5))
    return f"SB-{digits[:4]}-{digits[4:]}"


# No join: it would be free to mix the items of an order.
INSERT = f"""
WITH placed AS (
    INSERT INTO orders_order SELECT new.* FROM json_populate_recordset(NULL::orders_order, %s::json) AS new
    ON CONFLICT DO NOTHING RETURNING id
), lines AS (
    INSERT INTO orders_orderitem (order_id, product_id, product_name, quantity, price)
    SELECT order_id, product_id, product_name, quantity, price
    FROM json_populate_recordset(NULL::orders_orderitem, %s::json)
    WHERE order_id = ANY (ARRAY(SELECT id FROM placed))
), events AS (
    {INSERT_EVENTS}
    WHERE order_id = ANY (ARRAY(SELECT id FROM placed))
)
SELECT id FROM placed
"""  # noqa: S608 - only the statement for events is put in


def _insert(
    orders: Sequence[tuple[OrderDocument, PlacementRequest]], database: BaseDatabaseWrapper
) -> set[UUID]:
    """Write orders, items and events; the ids of all but those whose key or number is taken."""
    # By name: two processes that each wait for a key of the other would wait for ever.
    orders = sorted(orders, key=lambda each: _name(each[1]))
    rows = [_order_row(document, request) for document, request in orders]
    items = [row for document, _ in orders for row in item_rows(document)]
    events = [
        new_event(
            EventType.CREATED,
            event_data.Created(document.order_number, document),
            document,
            request.origin,
            document.created_at,
        )
        for document, request in orders
    ]
    written = append_within(INSERT, [as_json(rows), as_json(items)], events, database)
    return {order_id for (order_id,) in written}


def _order_row(document: OrderDocument, request: PlacementRequest) -> dict[str, Any]:
    placement = {"idempotency_key": request.idempotency_key, "request_hash": request.hash}
    return columns_of(document) | placement
