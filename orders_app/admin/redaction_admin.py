"""Redactions in the admin: whose personal data was erased, when, by whom, and in which tables."""

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from orders_app.models import Redaction
from web.admin_columns import shown_label
from web.read_only_admin import ReadOnlyAdmin, time_column

BEGUN, ENDED = time_column("begun_at", _("Begun")), time_column("ended_at", _("Ended"))


@admin.register(Redaction)
class RedactionAdmin(ReadOnlyAdmin):
    """Lists redactions, newest first; `manage.py customer erase` makes them."""

    nothing = _("Nobody's personal data has been erased yet.")
    nothing_more = _("The command `manage.py customer erase` does it, and each erasure is kept here.")
    list_display: ClassVar = ["id", "user_id", "state", BEGUN, ENDED, "requested_by", "rows"]
    list_per_page = 50
    search_fields: ClassVar = ["=user_id", "requested_by"]
    search_help_text = _("Id of the user, or the name of who asked for it")
    fields: ClassVar = ["user_id", "state", BEGUN, ENDED, "requested_by", "rows", "replaced"]
    readonly_fields: ClassVar = ["state", BEGUN, ENDED, "rows"]

    @display(description=_("State"), ordering="ended_at")
    def state(self, redaction: Redaction) -> str:
        """Whether it is done."""
        if redaction.ended_at:
            return shown_label(gettext("Done"), "good")
        return shown_label(gettext("Has not ended: run the command again"), "bad")

    @display(description=_("What was changed"))
    def rows(self, redaction: Redaction) -> str:
        """In how many rows."""
        number = sum(count for count in redaction.replaced.values() if isinstance(count, int))
        tables = ngettext("%d table", "%d tables", len(redaction.replaced)) % len(redaction.replaced)
        return ngettext("%d row in %s", "%d rows in %s", number) % (number, tables)
