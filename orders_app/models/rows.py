"""Documents from rows and rows from documents: the one place that knows how the two correspond."""

from collections.abc import Collection, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from orders_app.document import CancelCode, CancelReason, OrderDocument, OrderLine, ShippingAddress
from orders_app.models.order import Order
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus, StockStatus


def document_of(order: Order) -> OrderDocument:
    """The order as the API shows it; reads `order.items`, so prefetch them where there are many orders."""
    items = order.items.all()
    lines = (OrderLine(item.product_id, item.product_name, item.quantity, item.price) for item in items)
    return _document(order, tuple(lines))


# The items come along as JSON: a second statement would cost as much as the first.
_COLUMNS = [field.attname for field in Order._meta.fields]  # noqa: SLF001 - Django documents it
_READ = f"""
SELECT {", ".join(_COLUMNS)}, (
    SELECT coalesce(json_agg(json_build_object(
        'productId', product_id, 'productName', product_name, 'quantity', quantity, 'price', price::text
    ) ORDER BY id), '[]')
    FROM orders_orderitem WHERE order_id = orders_order.id
)::text FROM orders_order WHERE id = ANY(%s)
"""  # noqa: S608 - only the names of columns are put in
_lines = msgspec.json.Decoder(tuple[OrderLine, ...])


def read_documents(order_ids: Collection[UUID]) -> dict[UUID, OrderDocument]:
    """Those of these orders that exist, by id; by one plain statement, because batches pass here."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, [list(order_ids)])
        rows = cursor.fetchall()
    orders = ((SimpleNamespace(**dict(zip(_COLUMNS, row, strict=True))), lines) for *row, lines in rows)
    return {order.id: _document(order, _lines.decode(lines)) for order, lines in orders}


def _document(order: Any, lines: tuple[OrderLine, ...]) -> OrderDocument:
    """`order` has the columns of an order as attributes: an Order or a row."""
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
            order.street, order.city, order.state, order.zip_code, order.country
        ),
        tracking_number=order.tracking_number or None,
        cancel_reason=_cancel_reason(order),
        created_at=order.created_at,
        updated_at=order.updated_at,
        shipped_at=order.shipped_at,
        delivered_at=order.delivered_at,
        cancelled_at=order.cancelled_at,
        version=order.version,
    )


def _cancel_reason(order: Any) -> CancelReason | None:
    if not order.cancel_reason_code:
        return None
    return CancelReason(CancelCode(order.cancel_reason_code), order.cancel_reason_detail)


def columns_of(document: OrderDocument) -> dict[str, Any]:
    """The columns of the order's row, without those of its placement (idempotency key and request hash)."""
    reason, address = document.cancel_reason, document.shipping_address
    return {
        "id": document.id,
        "order_number": document.order_number,
        "user_id": int(document.user_id),
        "total_amount": document.total_amount,
        "currency": document.currency,
        "status": document.status,
        "stock_status": document.stock_status,
        "payment_status": document.payment_status,
        "payment_method": document.payment_method,
        "street": address.street,
        "city": address.city,
        "state": address.state,
        "zip_code": address.zip_code,
        "country": address.country,
        "tracking_number": document.tracking_number or "",
        "cancel_reason_code": reason.code if reason else "",
        "cancel_reason_detail": reason.detail if reason else "",
        "created_at": document.created_at,
        "updated_at": document.updated_at,
        "shipped_at": document.shipped_at,
        "delivered_at": document.delivered_at,
        "cancelled_at": document.cancelled_at,
        "version": document.version,
    }


def item_rows(document: OrderDocument) -> list[dict[str, Any]]:
    """The columns of the order's items, in their order, without those that the database gives."""
    return [{"order_id": document.id, **msgspec.structs.asdict(line)} for line in document.items]


UPDATE = """
UPDATE orders_order SET
    status = new.status, stock_status = new.stock_status, payment_status = new.payment_status,
    street = new.street, city = new.city, state = new.state, zip_code = new.zip_code, country = new.country,
    tracking_number = new.tracking_number,
    cancel_reason_code = new.cancel_reason_code, cancel_reason_detail = new.cancel_reason_detail,
    updated_at = new.updated_at, shipped_at = new.shipped_at, delivered_at = new.delivered_at,
    cancelled_at = new.cancelled_at, version = new.version
FROM json_populate_recordset(NULL::orders_order, %s::json) AS new
WHERE orders_order.id = new.id
"""


def update_rows(documents: Sequence[OrderDocument]) -> None:
    """Bring the rows of these orders to these documents, all that can change of them, with one statement."""
    with connection.cursor() as cursor:
        cursor.execute(UPDATE, [as_json([columns_of(document) for document in documents])])


def as_json(rows: object) -> str:
    """A row or a list of rows as PostgreSQL's `json_populate_record(set)` reads them, typed by the table."""
    return msgspec.json.encode(rows).decode()
