"""Converts rows of orders to documents and back."""

from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from orders_app.document import (
    CancelCode,
    CancelReason,
    OrderDocument,
    OrderLine,
    PaymentFailure,
    ShippingAddress,
)
from orders_app.models.order import Order
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus, StockStatus


def document_of(order: Order) -> OrderDocument:
    """The document of an order. Reads `order.items`: prefetch them for many orders."""
    items = order.items.all()
    lines = (OrderLine(item.product_id, item.product_name, item.quantity, item.price) for item in items)
    return _document(order, tuple(lines))


# The items are read as JSON in the same statement: a second statement would cost as much again.
_COLUMNS = [field.attname for field in Order._meta.fields]  # noqa: SLF001 - Django documents `_meta`
READ = f"""
SELECT {", ".join(_COLUMNS)}, (
    SELECT coalesce(json_agg(json_build_object(
        'productId', product_id, 'productName', product_name, 'quantity', quantity, 'price', price::text
    ) ORDER BY id), '[]')
    FROM orders_orderitem WHERE order_id = orders_order.id
)::text FROM orders_order WHERE id = ANY(%s)
"""  # noqa: S608 - only the names of columns are put in
_lines_decoder = msgspec.json.Decoder(tuple[OrderLine, ...])


def read_documents(order_ids: Collection[UUID]) -> dict[UUID, OrderDocument]:
    """The documents of these orders, by id; an order that does not exist is left out.

    One SQL statement without the ORM, because consumers read batches of orders.
    """
    with connection.cursor() as cursor:
        cursor.execute(READ, [list(order_ids)])
        return documents_of_rows(cursor.fetchall())


def documents_of_rows(rows: Sequence[Sequence[Any]]) -> dict[UUID, OrderDocument]:
    """The documents of the rows that READ returns, by id."""
    orders = ((SimpleNamespace(**dict(zip(_COLUMNS, row, strict=True))), lines) for *row, lines in rows)
    return {order.id: _document(order, _lines_decoder.decode(lines)) for order, lines in orders}


def _document(order: Any, lines: tuple[OrderLine, ...]) -> OrderDocument:
    """The document of `order`, an Order or an object with the columns of one as attributes."""
    status = OrderStatus(order.status)
    return OrderDocument(
        id=order.id,
        order_number=order.order_number,
        user_id=str(order.user_id),
        items=lines,
        total_amount=order.total_amount,
        currency=order.currency,
        status=status,
        status_label=status.label,
        stock_status=StockStatus(order.stock_status),
        payment_status=PaymentStatus(order.payment_status),
        payment_method=PaymentMethod(order.payment_method),
        shipping_address=ShippingAddress(
            street=order.street,
            city=order.city,
            state=order.state,
            zip_code=order.zip_code,
            country=order.country,
        ),
        tracking_number=order.tracking_number or None,
        cancel_reason=_cancel_reason(order),
        created_at=order.created_at,
        updated_at=order.updated_at,
        shipped_at=order.shipped_at,
        delivered_at=order.delivered_at,
        cancelled_at=order.cancelled_at,
        version=order.version,
        payment_attempts=order.payment_attempts or 0,
        payment_reference=order.payment_reference,
        payment_failure=_payment_failure(order),
        paid_at=order.paid_at,
        refunded_amount=order.refunded_amount or order.total_amount * 0,
        refund_requested_amount=order.refund_requested_amount or order.total_amount * 0,
    )


def _cancel_reason(order: Any) -> CancelReason | None:
    if not order.cancel_reason_code:
        return None
    return CancelReason(CancelCode(order.cancel_reason_code), order.cancel_reason_detail)


def _payment_failure(order: Any) -> PaymentFailure | None:
    if not order.payment_failure_code:
        return None
    return PaymentFailure(order.payment_failure_code, order.payment_failure_detail)


def columns_of(document: OrderDocument) -> dict[str, Any]:
    """The columns of the order's row, except the idempotency key and the request hash of its placement."""
    return changing_columns_of(document) | {
        "order_number": document.order_number,
        "user_id": int(document.user_id),
        "total_amount": document.total_amount,
        "currency": document.currency,
        "payment_method": document.payment_method,
        "created_at": document.created_at,
    }


def changing_columns_of(document: OrderDocument) -> dict[str, Any]:
    """The id, and the columns that events change."""
    reason, address, failure = document.cancel_reason, document.shipping_address, document.payment_failure
    return {
        "id": document.id,
        "status": document.status,
        "stock_status": document.stock_status,
        "payment_status": document.payment_status,
        "street": address.street,
        "city": address.city,
        "state": address.state,
        "zip_code": address.zip_code,
        "country": address.country,
        "tracking_number": document.tracking_number or "",
        "cancel_reason_code": reason.code if reason else "",
        "cancel_reason_detail": reason.detail if reason else "",
        "updated_at": document.updated_at,
        "shipped_at": document.shipped_at,
        "delivered_at": document.delivered_at,
        "cancelled_at": document.cancelled_at,
        "version": document.version,
        "payment_attempts": document.payment_attempts or None,
        "payment_reference": document.payment_reference,
        "payment_failure_code": failure.code if failure else None,
        "payment_failure_detail": failure.detail if failure else None,
        "paid_at": document.paid_at,
        "refunded_amount": document.refunded_amount or None,
        "refund_requested_amount": document.refund_requested_amount or None,
    }


def item_rows(document: OrderDocument) -> list[dict[str, Any]]:
    """The columns of the rows of the order's items, except the ids, which the database assigns."""
    return [{"order_id": document.id, **msgspec.structs.asdict(line)} for line in document.items]


UPDATE = """
UPDATE orders_order SET
    status = new.status, stock_status = new.stock_status, payment_status = new.payment_status,
    street = new.street, city = new.city, state = new.state, zip_code = new.zip_code, country = new.country,
    tracking_number = new.tracking_number,
    cancel_reason_code = new.cancel_reason_code, cancel_reason_detail = new.cancel_reason_detail,
    updated_at = new.updated_at, shipped_at = new.shipped_at, delivered_at = new.delivered_at,
    cancelled_at = new.cancelled_at, version = new.version,
    payment_attempts = new.payment_attempts, payment_reference = new.payment_reference,
    payment_failure_code = new.payment_failure_code, payment_failure_detail = new.payment_failure_detail,
    paid_at = new.paid_at, refunded_amount = new.refunded_amount,
    refund_requested_amount = new.refund_requested_amount
FROM json_populate_recordset(NULL::orders_order, %s::json) AS new
WHERE orders_order.id = new.id
"""


def changed_rows(documents: Sequence[OrderDocument]) -> str:
    """The parameter of UPDATE."""
    return as_json([without_nulls(changing_columns_of(document)) for document in documents])


def without_nulls(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that are not NULL; PostgreSQL sets the others to NULL without having to read them."""
    return {column: value for column, value in row.items() if value is not None}


def as_json(rows: object) -> str:
    """One row or a list of rows as JSON for PostgreSQL's `json_populate_record` and `…_recordset`."""
    return msgspec.json.encode(rows).decode()
