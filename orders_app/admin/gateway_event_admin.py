"""What the payment gateway told that staff must see: disputes, unknown money, refunds that failed."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from orders_app.admin.large_table import RowsOfOrders
from orders_app.models import GatewayEvent
from orders_app.services.resolve_gateway_events import resolve_gateway_events
from web.admin_columns import shown_label, shown_time
from web.read_only_admin import time_column

CHANGE_EVENTS = "orders_app.change_gatewayevent"
RECEIVED = time_column("received_at", _("Received"))
TOLD = time_column("created_at", _("Told by the gateway"))


class ResolvedFilter(admin.SimpleListFilter):
    """Open events, unless others are asked for."""

    title = _("state")
    parameter_name = "resolved"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """The choices beside the first one."""
        return [
            ("yes", gettext("Resolved")),
            ("all", gettext("Open and resolved")),
            ("payments", gettext("Payments that were looked up")),
        ]

    def choices(self, changelist: Any) -> Any:
        """The choices, of which the first is what is shown at once."""
        first, *others = super().choices(changelist)
        return [first | {"display": gettext("Open")}, *others]

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

    nothing = _("The payment gateway has told nothing that waits for people.")
    nothing_more = _("Disputes, money that no order knows and refunds that failed would be here.")
    references: ClassVar = ["event_id", "payment_id", "reference"]
    ordering: ClassVar = ["-received_at", "-event_id"]
    search_help_text = _(
        "Number of an order, or the gateway's reference of an event, payment, dispute or refund, as a whole"
    )
    list_display: ClassVar = [
        RECEIVED,
        "kind",
        "order_link",
        "money",
        "summary",
        "resolution",
        "reference",
        "payment_id",
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
        TOLD,
        RECEIVED,
        "resolution",
    ]
    readonly_fields: ClassVar = ["order_link", "money", TOLD, RECEIVED, "resolution"]

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Whether the user may mark events as resolved."""
        return request.user.has_perm(CHANGE_EVENTS)

    @display(description=_("State"))
    def resolution(self, event: GatewayEvent) -> str:
        """Open, or by whom and when it was resolved; a payment that is looked up needs nobody."""
        if event.resolved_at is None:
            if event.kind == GatewayEvent.Kind.PAYMENT:
                return shown_label(gettext("Is being looked up"), "moving")
            return shown_label(gettext("Open"), "bad")
        by = event.resolved_by or gettext("the payment service")
        label = shown_label(gettext("Resolved by %s") % by, "good")
        return format_html("{} {}", label, shown_time(event.resolved_at))

    @admin.action(description=_("Mark as resolved"), permissions=["resolve"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[GatewayEvent]) -> None:
        """Mark the selected events as dealt with."""
        for event in (resolved := resolve_gateway_events(events=queryset, by=request.user.get_username())):
            self.log_change(request, event, "Resolved.")
        sentence = ngettext("%d event resolved.", "%d events resolved.", len(resolved))
        self.message_user(request, sentence % len(resolved))
