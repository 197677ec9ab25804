"""Parked events in the admin: why each waits, and a retry."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import ngettext

from kafka_workers.models import ParkedEvent
from kafka_workers.relay.parked_events import request_retry
from web.read_only_admin import ReadOnlyAdmin


@admin.register(ParkedEvent)
class ParkedEventAdmin(ReadOnlyAdmin):
    """Lists parked events with their reasons; the relay sends them again and removes the rows."""

    list_display: ClassVar = [
        "order_id",
        "version",
        "type",
        "reason",
        "detail",
        "parked_at",
        "retry_requested_at",
    ]
    list_filter: ClassVar = ["reason", "type", "parked_at"]
    search_fields: ClassVar = ["order_id", "detail"]
    actions: ClassVar = ["send_again"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Whether the user may request a retry."""
        return request.user.has_perm("kafka_workers.change_parkedevent")

    @admin.action(description="Send again, with all parked events of the same orders", permissions=["retry"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[ParkedEvent]) -> None:
        """Request a retry by the relay; an event that is rejected again stays parked, with its new reason."""
        for event in queryset:
            self.log_change(request, event, "Asked the relay to send it again.")
        events = request_retry(set(queryset.values_list("order_id", flat=True)))
        sentence = ngettext(
            "The relay will send %d event again.", "The relay will send %d events again.", events
        )
        self.message_user(request, sentence % events)
