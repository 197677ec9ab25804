"""The tables below an order in the admin: items, payments, refunds and history. All are read-only."""

from typing import Any, ClassVar

from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from unfold.admin import TabularInline
from unfold.decorators import display

from orders_app import event_log
from orders_app.admin.columns import MoneyColumn
from orders_app.history.story import HistoryEntry, Story
from orders_app.models import HistoryEvent, OrderItem, Payment, Refund

LINE_BREAK = mark_safe("<br>")


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
    """The events of the order, oldest first, in the sentences of the API's history."""

    model = HistoryEvent
    fields: ClassVar = ["version", "created_at", "message", "who", "changes", "trace"]
    readonly_fields: ClassVar = ["message", "who", "changes", "trace"]
    ordering: ClassVar = ["version"]
    verbose_name_plural = "history"

    def __init__(self, parent_model: type[Model], admin_site: AdminSite) -> None:
        super().__init__(parent_model, admin_site)
        self._entries: dict[int, HistoryEntry] = {}

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether the user may see the events of the log; the archive has no permission of its own."""
        return request.user.has_perm("orders_app.view_orderevent")

    @display(description="What happened")
    def message(self, event: HistoryEvent) -> str:
        """What happened, in a sentence."""
        return self._entry(event).message

    @display(description="Who")
    def who(self, event: HistoryEvent) -> str:
        """The name of the customer, the member of staff or the part of the system."""
        return self._entry(event).actor_name

    @display(description="Changes")
    def changes(self, event: HistoryEvent) -> str:
        """Each changed field with its values before and after; of a new order, the sentence is enough."""
        changes = self._entry(event).changes if event.version > 1 else {}
        lines = ((name, _shown(change.old), _shown(change.new)) for name, change in changes.items())
        return format_html_join(LINE_BREAK, "{}: {} → {}", lines)

    @display(description="Trace")
    def trace(self, event: HistoryEvent) -> str:
        """The trace of the request or message."""
        return self._entry(event).trace_id or ""

    def _entry(self, event: HistoryEvent) -> HistoryEntry:
        # This object serves one request, and its rows are of one order.
        if not self._entries:
            story = Story(event_log.history(event.order_id), for_staff=True)
            self._entries = {step.event.version: story.tell(step) for step in story.steps}
        return self._entries[event.version]


def _shown(value: Any) -> str:
    """A value of the order's JSON in one line; a dash where there is none."""
    if isinstance(value, dict):
        return ", ".join(str(part) for part in value.values() if part)
    return "-" if value is None else str(value)
