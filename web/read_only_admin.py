"""Rows that other processes write, and the columns of their lists."""

from collections.abc import Callable

from django.db.models import Model
from django.http import HttpRequest
from django.utils.functional import Promise
from unfold.admin import ModelAdmin
from unfold.decorators import display

from web.admin_columns import shown_time


class ReadOnlyAdmin(ModelAdmin):
    """Pages on which nobody adds, edits or deletes.

    `nothing` and `nothing_more` are what an empty list says: a title, and a sentence.
    """

    nothing: str | Promise = ""
    nothing_more: str | Promise = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody edits."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes."""
        return False


def time_column(field: str, title: str | Promise) -> Callable[[Model], str]:
    """The column with this time of a row, in the viewer's zone, and sorted by it."""

    def shown(row: Model) -> str:
        return shown_time(getattr(row, field))

    shown.__name__ = f"shown_{field}"
    column: Callable[[Model], str] = display(description=title, ordering=field)(shown)
    return column
