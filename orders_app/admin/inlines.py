"""What belongs to an order, shown below it and never edited."""

from typing import ClassVar

from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import TabularInline

from orders_app.models import OrderEvent, OrderItem


class ReadOnlyInline(TabularInline):
    """Rows that belong to an order and are only looked at."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes."""
        return False


class ItemInline(ReadOnlyInline):
    """What was ordered."""

    model = OrderItem
    fields: ClassVar = ["product_name", "product_id", "quantity", "price"]


class HistoryInline(ReadOnlyInline):
    """What happened, oldest first."""

    model = OrderEvent
    fields: ClassVar = ["version", "created_at", "type", "actor", "data"]
    ordering: ClassVar = ["version"]
    verbose_name_plural = "history"
