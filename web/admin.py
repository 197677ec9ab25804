"""The audit trail: who changed what in the admin, and when."""

from typing import ClassVar

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.utils.html import format_html
from unfold.decorators import display

from web.read_only_admin import ReadOnlyAdmin, time_column

LINK = "font-medium text-primary-600 dark:text-primary-500"


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """Every change that was made through the admin; nobody edits what it says."""

    nothing = "Nobody has changed anything here yet."
    nothing_more = "Each change that is made through the admin is kept, with who made it and when."
    list_display: ClassVar = [time_column("action_time", "When"), "user", "object_link", "kind", "what"]
    list_filter: ClassVar = ["action_flag", "action_time", "content_type"]
    list_per_page = 50
    list_select_related: ClassVar = ["user", "content_type"]
    search_fields: ClassVar = ["object_repr", "object_id", "user__username", "change_message"]
    search_help_text = "Name or id of what was changed, name of a user, or words of the change"
    date_hierarchy = "action_time"
    fields: ClassVar = [time_column("action_time", "When"), "user", "object_link", "kind", "what"]
    readonly_fields: ClassVar = fields

    @display(description="Changed", ordering="object_repr")
    def object_link(self, entry: LogEntry) -> str:
        """What was changed, with a link to its page."""
        page = entry.get_admin_url() if entry.object_id else None
        return (
            format_html('<a class="{}" href="{}">{}</a>', LINK, page, entry.object_repr)
            if page
            else entry.object_repr
        )

    @display(description="Kind", ordering="content_type")
    def kind(self, entry: LogEntry) -> str:
        """What kind of thing it is."""
        return str(entry.content_type.name).capitalize() if entry.content_type else ""

    @display(description="What was done")
    def what(self, entry: LogEntry) -> str:
        """The change in words."""
        return f"{entry.get_action_flag_display()}: {entry.get_change_message()}"
