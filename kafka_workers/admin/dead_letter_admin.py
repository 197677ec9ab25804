"""The entry of the dead letters in the admin.

Their pages read and write Kafka. The module of the pages is imported at the first request, so that a web
process without such a request has no Kafka client.
"""

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from kafka_workers.models import DeadLetterRecord
from web.read_only_admin import ReadOnlyAdmin


@admin.register(DeadLetterRecord)
class DeadLetterAdmin(ReadOnlyAdmin):
    """Lists, shows and resolves dead letters, each for users with the permission."""

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Whether the user may redrive and discard."""
        return request.user.has_perm("kafka_workers.settle_deadletterrecord")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> None:
        """Always None: a dead letter is no row, and none of Django's own pages shows one."""

    def changelist_view(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        """The list with its filters; a POST asks for a confirmation, then redrives or discards."""
        from kafka_workers.admin import dead_letter_pages, dead_letter_resolving  # noqa: PLC0415 - see above

        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return dead_letter_pages.show_list(self, request)
        if not self.has_resolve_permission(request):
            raise PermissionDenied
        return dead_letter_resolving.resolve_selected(self, request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: object = None
    ) -> HttpResponse:
        """One dead letter with all its fields; its id is its coordinates."""
        from kafka_workers.admin import dead_letter_pages  # noqa: PLC0415 - see above

        if not self.has_view_permission(request):
            raise PermissionDenied
        return dead_letter_pages.show_letter(self, request, unquote(object_id))
