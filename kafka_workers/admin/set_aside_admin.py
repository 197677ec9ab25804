"""Events that the relay could not publish: looked at, and sent again."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import ngettext

from kafka_workers.models import SetAsideEvent
from kafka_workers.relay.parked_events import request_retry
from web.read_only_admin import ReadOnlyAdmin


@admin.register(SetAsideEvent)
class SetAsideEventAdmin(ReadOnlyAdmin):
    """The events with the reason why each waits; the relay itself sends them and removes the rows."""

    list_display: ClassVar = [
        "order_id",
        "version",
        "type",
        "reason",
        "detail",
        "set_aside_at",
        "retry_requested_at",
    ]
    list_filter: ClassVar = ["reason", "type", "set_aside_at"]
    search_fields: ClassVar = ["order_id", "detail"]
    actions: ClassVar = ["send_again"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Whether this member of staff may have events sent again."""
        return request.user.has_perm("kafka_workers.change_setasideevent")

    @admin.action(
        description="Send again, with all that is set aside of the same orders", permissions=["retry"]
    )
    def send_again(self, request: HttpRequest, queryset: QuerySet[SetAsideEvent]) -> None:
        """Have the relay try again; what is refused again stays, with its new reason."""
        for event in queryset:
            self.log_change(request, event, "Asked the relay to send it again.")
        events = request_retry(set(queryset.values_list("order_id", flat=True)))
        sentence = ngettext(
            "The relay will send %d event again.", "The relay will send %d events again.", events
        )
        self.message_user(request, sentence % events)
