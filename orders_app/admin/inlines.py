"""The tables below an order in the admin: items, payments, refunds and history. All are read-only."""

from typing import ClassVar

from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from orders_app.admin.columns import MoneyColumn
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
    fields: ClassVar = ["product_name", "product_id", "quantity", "shown_price"]
    readonly_fields: ClassVar = ["shown_price"]

    @display(description="Price")
    def shown_price(self, item: OrderItem) -> str:
        """The price of a piece, with the decimals that it has."""
        return str(item.price)


class PaymentInline(MoneyColumn, ReadOnlyInline):
    """The attempts to pay the order that have ended."""

    model = Payment
    fields: ClassVar = ["attempt", "ended_at", "money", "state", "payment_id", "code", "detail"]
    readonly_fields: ClassVar = ["money"]
    ordering: ClassVar = ["attempt"]


class RefundInline(MoneyColumn, ReadOnlyInline):
    """What was given back of the order's payment, or is on its way."""

    model = Refund
    fields: ClassVar = [
        "requested_at",
        "money",
        "state",
        "reason",
        "actor",
        "refund_id",
        "code",
        "detail",
    ]
    readonly_fields: ClassVar = ["money"]
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
