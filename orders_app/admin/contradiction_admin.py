"""Contradictions about stock in the admin: what was told about which order, and what was done about it."""

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from orders_app.admin.large_table import RowsOfOrders
from orders_app.models import StockContradiction
from web.read_only_admin import time_column

CREATED = time_column("created_at", _("When"))
OUTCOMES = {
    outcome: "danger" if outcome == StockContradiction.Outcome.FOR_PEOPLE else "info"
    for outcome in StockContradiction.Outcome
}


@admin.register(StockContradiction)
class StockContradictionAdmin(RowsOfOrders):
    """Lists contradictions, newest first; those left to people are an outcome to filter by."""

    nothing = _("The stock service has never contradicted an order.")
    references: ClassVar = ["order_number", "message_id"]
    ordering: ClassVar = ["-created_at", "-id"]
    search_help_text = _("Number of an order, or the id of a message, as a whole")
    list_display: ClassVar = [CREATED, "order_link", "kind", "shown_outcome", "told", "order_says"]
    list_filter: ClassVar = ["outcome", "kind", "created_at"]
    fields: ClassVar = [
        CREATED,
        "order_link",
        "order_id",
        "kind",
        "shown_outcome",
        "message_id",
        "told",
        "order_says",
    ]
    readonly_fields: ClassVar = [CREATED, "order_link", "shown_outcome"]

    @display(description=_("What was done"), label=OUTCOMES, ordering="outcome")
    def shown_outcome(self, row: StockContradiction) -> tuple[str, str]:
        """What was done about it; those left to people in red."""
        return row.outcome, row.get_outcome_display()
