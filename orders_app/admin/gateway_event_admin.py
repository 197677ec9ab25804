"""What the payment gateway told that staff must see: disputes, unknown money, refunds that failed."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import ngettext
from unfold.decorators import display

from orders_app.admin.large_table import RowsOfOrders
from orders_app.models import GatewayEvent
from orders_app.services.resolve_gateway_events import resolve_gateway_events

CHANGE_EVENTS = "orders_app.change_gatewayevent"


class ResolvedFilter(admin.SimpleListFilter):
    """Open events, unless others are asked for."""

    title = "resolved"
    parameter_name = "resolved"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """The choices beside the first one."""
        return [("yes", "Resolved"), ("all", "All for staff"), ("payments", "Payments that were looked up")]

    def choices(self, changelist: Any) -> Any:
        """The choices, of which the first is what is shown at once."""
        first, *others = super().choices(changelist)
        return [first | {"display": "Open"}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[GatewayEvent]) -> QuerySet[GatewayEvent]:
        """The events that are asked for."""
        looked_up = GatewayEvent.Kind.PAYMENT
        if self.value() == "payments":
            return queryset.filter(kind=looked_up)
        for_staff = queryset.exclude(kind=looked_up)
        match self.value():
            case "yes":
                return for_staff.filter(resolved_at__isnull=False)
            case "all":
                return for_staff
        return for_staff.filter(resolved_at=None)


@admin.register(GatewayEvent)
class GatewayEventAdmin(RowsOfOrders):
    """Lists what the gateway told, newest first; staff mark what they have dealt with."""

    references: ClassVar = ["event_id", "payment_id", "reference"]
    ordering: ClassVar = ["-received_at", "-event_id"]
    search_help_text = (
        "Number of an order, or the gateway's reference of an event, payment, dispute or refund, as a whole"
    )
    list_display: ClassVar = [
        "received_at",
        "kind",
        "order_link",
        "money",
        "summary",
        "reference",
        "payment_id",
        "resolution",
    ]
    list_filter: ClassVar = [ResolvedFilter, "kind", "received_at"]
    actions: ClassVar = ["resolve"]
    fields: ClassVar = [
        "kind",
        "order_link",
        "money",
        "summary",
        "payment_id",
        "reference",
        "type",
        "event_id",
        "created_at",
        "received_at",
        "resolution",
    ]
    readonly_fields: ClassVar = ["order_link", "money", "resolution"]

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Whether the user may mark events as resolved."""
        return request.user.has_perm(CHANGE_EVENTS)

    @display(description="Resolved")
    def resolution(self, event: GatewayEvent) -> str:
        """When and by whom."""
        return f"{event.resolved_at:%Y-%m-%d %H:%M} by {event.resolved_by}" if event.resolved_at else ""

    @admin.action(description="Mark as resolved", permissions=["resolve"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[GatewayEvent]) -> None:
        """Mark the selected events as dealt with."""
        for event in (resolved := resolve_gateway_events(events=queryset, by=request.user.get_username())):
            self.log_change(request, event, "Resolved.")
        sentence = ngettext("%d event resolved.", "%d events resolved.", len(resolved))
        self.message_user(request, sentence % len(resolved))
