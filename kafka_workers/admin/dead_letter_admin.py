"""Where the admin keeps its page of dead letters.

The page reads and writes Kafka. Its module is loaded when it is first asked for, so that a web process that
shows it to nobody has no Kafka client.
"""

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from kafka_workers.models import DeadLetterRecord
from web.read_only_admin import ReadOnlyAdmin


@admin.register(DeadLetterRecord)
class DeadLetterAdmin(ReadOnlyAdmin):
    """Dead letters: listed and shown to who may view them, settled by who may settle them."""

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Whether this member of staff may redrive and discard."""
        return request.user.has_perm("kafka_workers.settle_deadletterrecord")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> None:
        """There is no row, and no page of Django's own that wants one."""

    def changelist_view(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        """The list with its filters, and the actions."""
        from kafka_workers.admin import dead_letter_pages  # noqa: PLC0415 - see above

        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return dead_letter_pages.show_list(self, request)
        if not self.has_settle_permission(request):
            raise PermissionDenied
        return dead_letter_pages.settle_chosen(self, request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: object = None
    ) -> HttpResponse:
        """One dead letter in full; its id is its place."""
        from kafka_workers.admin import dead_letter_pages  # noqa: PLC0415 - see above

        if not self.has_view_permission(request):
            raise PermissionDenied
        return dead_letter_pages.show_letter(self, request, unquote(object_id))
