"""The tables below an order in the admin: items, payments, refunds and history. All are read-only."""

from typing import ClassVar

from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import TabularInline

from orders_app.models import HistoryEvent, OrderItem, Payment, Refund


class ReadOnlyInline(TabularInline):
    """A read-only table of rows that belong to an order."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """False for everybody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """False for everybody."""
        return False


class ItemInline(ReadOnlyInline):
    """The items of the order."""

    model = OrderItem
    fields: ClassVar = ["product_name", "product_id", "quantity", "price"]


class PaymentInline(ReadOnlyInline):
    """The attempts to pay the order that have ended."""

    model = Payment
    fields: ClassVar = ["attempt", "ended_at", "amount", "currency", "state", "payment_id", "code", "detail"]
    ordering: ClassVar = ["attempt"]


class RefundInline(ReadOnlyInline):
    """What was given back of the order's payment, or is on its way."""

    model = Refund
    fields: ClassVar = [
        "requested_at",
        "amount",
        "currency",
        "state",
        "reason",
        "actor",
        "refund_id",
        "code",
        "detail",
    ]
    ordering: ClassVar = ["version"]


class HistoryInline(ReadOnlyInline):
    """The events of the order, oldest first."""

    model = HistoryEvent
    fields: ClassVar = ["version", "created_at", "type", "actor", "data"]
    ordering: ClassVar = ["version"]
    verbose_name_plural = "history"

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether the user may see the events of the log; the archive has no permission of its own."""
        return request.user.has_perm("orders_app.view_orderevent")
