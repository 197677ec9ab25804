"""Parked events in the admin: why each waits, and a retry, which a page confirms."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kafka_workers.models import ParkedEvent
from kafka_workers.relay.parked_events import request_retry
from orders_app.admin.columns import linked_order
from orders_app.models import Order
from web.admin_columns import shown_label
from web.read_only_admin import ReadOnlyAdmin, time_column

CONFIRM = "admin/kafka_workers/parked_events_confirm.html"
SHOWN = 200
PARKED = time_column("parked_at", _("Parked"))


@admin.register(ParkedEvent)
class ParkedEventAdmin(ReadOnlyAdmin):
    """Lists parked events with their reasons; the relay sends them again and removes the rows."""

    nothing = _("No event is parked.")
    nothing_more = _("The relay has sent all that happened to orders, or is about to.")
    list_display: ClassVar = ["order", "version", "type", "why", "detail", PARKED, "state"]
    list_filter: ClassVar = ["reason", "type", "parked_at"]
    list_per_page = 50
    search_fields: ClassVar = ["order_id", "detail"]
    search_help_text = _("Id of an order, or words of the reason")
    actions: ClassVar = ["send_again"]
    fields: ClassVar = ["order", "order_id", "version", "type", "why", "detail", PARKED, "state"]
    readonly_fields: ClassVar = ["order", "why", PARKED, "state"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Whether the user may request a retry."""
        return request.user.has_perm("kafka_workers.change_parkedevent")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ParkedEvent]:
        """The rows, with the numbers of their orders."""
        number = Order.objects.order_by().filter(pk=OuterRef("order_id")).values("order_number")
        return super().get_queryset(request).annotate(number_of_order=Subquery(number))

    @display(description=_("Order"), ordering="order_id")
    def order(self, event: Any) -> str:
        """The number of the order, which leads to its page; its id where it is not here."""
        return linked_order(event.order_id, event.number_of_order)

    @display(description=_("Why"), ordering="reason")
    def why(self, event: ParkedEvent) -> str:
        """The reason in words."""
        return event.get_reason_display()

    @display(description=_("State"), ordering="retry_requested_at")
    def state(self, event: ParkedEvent) -> str:
        """Whether a retry is requested."""
        if event.retry_requested_at:
            return shown_label(gettext("Is being sent again"), "moving")
        return shown_label(gettext("Waits for people"), "bad")

    @admin.action(description=_("Send again…"), permissions=["retry"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[ParkedEvent]) -> HttpResponse | None:
        """Request a retry by the relay; an event that is rejected again stays parked, with its new reason."""
        orders = set(queryset.values_list("order_id", flat=True))
        if "confirmed" not in request.POST:
            return self._confirmation(request, queryset)
        for event in queryset:
            self.log_change(request, event, "Asked the relay to send it again.")
        events = request_retry(orders)
        sentence = ngettext(
            "The relay will send %d event again.", "The relay will send %d events again.", events
        )
        self.message_user(request, sentence % events)
        return None

    def _confirmation(self, request: HttpRequest, chosen: QuerySet[ParkedEvent]) -> HttpResponse:
        """All parked events of the orders of the chosen ones: they are sent again in their order."""
        rows = ParkedEvent.objects.filter(order_id__in=chosen.values("order_id"))
        context = self.admin_site.each_context(request) | {
            "title": gettext("Send parked events again"),
            "opts": self.opts,
            "chosen": request.POST.getlist("_selected_action"),
            "select_across": request.POST.get("select_across", "0"),
            "rows": rows[:SHOWN],
            "count": rows.count(),
            "back_url": request.get_full_path(),
        }
        return TemplateResponse(request, CONFIRM, context)
