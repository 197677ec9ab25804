"""The audit trail: who changed what in the admin, and when."""

from typing import ClassVar

from django.contrib import admin
from django.contrib.admin.models import LogEntry

from web.read_only_admin import ReadOnlyAdmin


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """Every change that was made through the admin; nobody edits what it says."""

    list_display: ClassVar = ["action_time", "user", "content_type", "object_repr", "what"]
    list_filter: ClassVar = ["action_flag", "action_time", "content_type"]
    list_select_related: ClassVar = ["user", "content_type"]
    search_fields: ClassVar = ["object_repr", "object_id", "user__username", "change_message"]
    date_hierarchy = "action_time"

    @admin.display(description="what")
    def what(self, entry: LogEntry) -> str:
        """The change in words."""
        return f"{entry.get_action_flag_display()}: {entry.get_change_message()}"
