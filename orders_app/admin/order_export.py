"""The orders of a list as CSV: what is filtered, sorted as on the page."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from django.utils import timezone

from orders_app.models import Order
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus, StockStatus
from web.csv_files import csv_file

ROWS_AT_ONCE = 2_000
_PUBLIC: Mapping[str, str] = {
    "order_number": "orderNumber",
    "created_at": "createdAt",
    "status": "status",
    "payment_status": "paymentStatus",
    "payment_method": "paymentMethod",
    "stock_status": "stockStatus",
    "total_amount": "totalAmount",
    "refunded_amount": "refundedAmount",
    "currency": "currency",
    "tracking_number": "trackingNumber",
    "shipped_at": "shippedAt",
    "delivered_at": "deliveredAt",
    "cancelled_at": "cancelledAt",
    "cancel_reason_code": "cancelReasonCode",
}
"""The columns of the file by the fields of the order, in their order."""
_CUSTOMER: Mapping[str, str] = {
    "user__username": "userName",
    "user__first_name": "firstName",
    "user__last_name": "lastName",
    "user__email": "email",
    "street": "street",
    "city": "city",
    "state": "state",
    "zip_code": "zipCode",
    "country": "country",
}
"""The same for what tells who the customer is."""
_LABELS: Mapping[str, Mapping[Any, str]] = {
    "status": {status.value: status.label for status in OrderStatus},
    "payment_status": {status.value: status.label for status in PaymentStatus},
    "payment_method": {method.value: method.label for method in PaymentMethod},
    "stock_status": {status.value: status.label for status in StockStatus},
}


def orders_file(orders: QuerySet[Order], *, with_customers: bool) -> FileResponse:
    """A row for each order; names and addresses only `with_customers`. Memory does not grow with the rows."""
    columns = {**_PUBLIC, **(_CUSTOMER if with_customers else {})}
    name = f"orders-{timezone.localtime():%Y-%m-%d-%H%M}.csv"
    return csv_file(name, list(columns.values()), _rows(orders, list(columns)))


def _rows(orders: QuerySet[Order], fields: Sequence[str]) -> Iterator[Sequence[Any]]:
    labels = [_LABELS.get(field) for field in fields]
    found = orders.prefetch_related(None).select_related(None).values_list(*fields)
    for row in found.iterator(chunk_size=ROWS_AT_ONCE):
        yield [
            _plain(value if label is None else label[value]) for value, label in zip(row, labels, strict=True)
        ]


def _plain(value: object) -> object:
    """The value; a time in UTC as RFC 3339 has it."""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
