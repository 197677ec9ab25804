"""Placing an order: the hot path. One look at the catalogue, one SQL statement."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec
from django.db import IntegrityError, connection
from django.utils import timezone
from msgspec import Struct
from psycopg.errors import ForeignKeyViolation
from uuid6 import uuid7

from orders_app import log_data
from orders_app.event_log import NewEvent, Origin
from orders_app.events import ProductId, Quantity
from orders_app.exceptions import (
    CustomerNotFound,
    EmptyOrder,
    IdempotencyKeyReused,
    InactiveProducts,
    OrderTooLarge,
    UnknownProducts,
)
from orders_app.log_data import EventType, OrderDocument, OrderLine, ShippingAddress
from orders_app.models.rows import as_json, columns_of, document_of, item_rows
from orders_app.selectors import all_orders
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus, StockStatus
from products_app.selectors import OrderableProduct, find_products_to_order

CURRENCY = "USD"
MAX_PRODUCTS = 1_000
MAX_PIECES = 1_000_000
MAX_TOTAL = Decimal("999999999999.99")
CENT = Decimal("0.01")
CROCKFORD_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class ItemRequest(Struct, frozen=True, rename="camel"):
    """One line of what the customer wants."""

    product_id: ProductId
    quantity: Quantity


class Placement(Struct, frozen=True):
    """The order, and whether it was there before: the customer sent the same request again."""

    order: OrderDocument
    replayed: bool


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

    Raises EmptyOrder, OrderTooLarge, UnknownProducts, InactiveProducts, IdempotencyKeyReused or
    CustomerNotFound, and the catalogue's own error while it cannot be reached; then nothing was placed.
    """
    request = _Request(user_id, idempotency_key or "", _request_hash(items, shipping_address, payment_method))
    if earlier := _find_earlier(request):
        return earlier
    document = _new_document(user_id, _priced(items), shipping_address, payment_method)
    while not _insert(document, request, origin):
        if earlier := _find_earlier(request):
            return earlier
        document = msgspec.structs.replace(document, order_number=new_order_number())
    return Placement(document, replayed=False)


class _Request(NamedTuple):
    """By what a placement is known again; without a key it never is."""

    user_id: int
    idempotency_key: str
    request_hash: str


def _request_hash(*asked_for: object) -> str:
    return hashlib.sha256(msgspec.json.encode(asked_for)).hexdigest()


def _find_earlier(request: _Request) -> Placement | None:
    if not request.idempotency_key:
        return None
    order = all_orders().filter(user_id=request.user_id, idempotency_key=request.idempotency_key).first()
    if order is None:
        return None
    if order.request_hash != request.request_hash:
        raise IdempotencyKeyReused(request.idempotency_key)
    return Placement(document_of(order), replayed=True)


def _priced(items: Sequence[ItemRequest]) -> tuple[OrderLine, ...]:
    """The lines of the order, one a product, in the order of the request."""
    if not items:
        raise EmptyOrder
    products = find_products_to_order({item.product_id for item in items})
    if unknown := sorted({item.product_id for item in items} - products.keys()):
        raise UnknownProducts(unknown)
    if inactive := {found.product_id: found.name for found in products.values() if not found.is_active}:
        raise InactiveProducts(list(inactive), list(inactive.values()))
    quantities: Counter[OrderableProduct] = Counter()
    for item in items:
        quantities[products[item.product_id]] += item.quantity
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


def _new_document(
    user_id: int,
    lines: tuple[OrderLine, ...],
    shipping_address: ShippingAddress,
    payment_method: PaymentMethod,
) -> OrderDocument:
    now = timezone.now()
    return OrderDocument(
        id=uuid7(),
        order_number=new_order_number(),
        user_id=str(user_id),
        items=lines,
        total_amount=_total(lines),
        currency=CURRENCY,
        status=OrderStatus.PENDING,
        status_label=OrderStatus.PENDING.label,
        stock_status=StockStatus.PENDING,
        payment_status=PaymentStatus.PENDING,
        payment_method=payment_method,
        shipping_address=shipping_address,
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


INSERT = """
WITH placed AS (
    INSERT INTO orders_order SELECT new.* FROM json_populate_record(NULL::orders_order, %s::json) AS new
    ON CONFLICT DO NOTHING RETURNING id
), lines AS (
    INSERT INTO orders_orderitem (order_id, product_id, product_name, quantity, price)
    SELECT placed.id, product_id, product_name, quantity, price
    FROM placed, json_populate_recordset(NULL::orders_orderitem, %s::json)
)
INSERT INTO order_event (order_id, version, type, user_id, data, actor, trace_parent, created_at)
SELECT order_id, version, type, user_id, data, actor, trace_parent, created_at
FROM placed, json_populate_record(NULL::order_event, %s::json)
"""


def _insert(document: OrderDocument, request: _Request, origin: Origin) -> bool:
    """Write order, items and event; False, with nothing written, where the key or the number is taken."""
    row = columns_of(document) | {
        "idempotency_key": request.idempotency_key,
        "request_hash": request.request_hash,
    }
    event = NewEvent(
        order_id=document.id,
        version=document.version,
        type=EventType.CREATED,
        user_id=request.user_id,
        data=log_data.Created(document.order_number, document),
        actor=origin.actor,
        trace_parent=origin.trace_parent,
        created_at=document.created_at,
    )
    with connection.cursor() as cursor:
        try:
            cursor.execute(INSERT, [as_json(row), as_json(item_rows(document)), as_json(event)])
        except IntegrityError as error:
            if isinstance(error.__cause__, ForeignKeyViolation):
                raise CustomerNotFound(request.user_id) from error
            raise
        return bool(cursor.rowcount)
