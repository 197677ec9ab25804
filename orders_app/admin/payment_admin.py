"""Payments and refunds in the admin, newest first. Nobody changes them here: a refund begins at its order."""

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from orders_app.admin.large_table import RowsOfOrders
from orders_app.models import Payment, Refund
from web.read_only_admin import time_column

ENDED = time_column("ended_at", _("Ended"))
REQUESTED = time_column("requested_at", _("Asked for"))
STATES = {"succeeded": "success", "requested": "info", "failed": "danger"}


class StateColumn:
    """The column with the state, in its colour."""

    @display(description=_("State"), label=STATES, ordering="state")
    def shown_state(self, row: Payment | Refund) -> tuple[str, str]:
        """The state, and its name for people."""
        return row.state, row.get_state_display()


@admin.register(Payment)
class PaymentAdmin(StateColumn, RowsOfOrders):
    """The attempts to pay orders that have ended."""

    nothing = _("No attempt to pay has ended yet.")
    nothing_more = _("Orders that are paid on delivery have none.")
    references: ClassVar = ["payment_id"]
    ordering: ClassVar = ["-ended_at", "-id"]
    search_help_text = _("Number of an order, or the gateway's reference of a payment, as a whole")
    list_display: ClassVar = [
        ENDED,
        "order_link",
        "attempt",
        "money",
        "shown_state",
        "detail",
        "payment_id",
    ]
    list_filter: ClassVar = ["state", "ended_at"]
    fields: ClassVar = [
        "order_link",
        "attempt",
        "money",
        "shown_state",
        "code",
        "detail",
        "payment_id",
        ENDED,
    ]
    readonly_fields: ClassVar = ["order_link", "money", "shown_state", ENDED]


@admin.register(Refund)
class RefundAdmin(StateColumn, RowsOfOrders):
    """What was given back, or is on its way."""

    nothing = _("No money has been given back yet.")
    nothing_more = _("A refund begins on the page of its order.")
    references: ClassVar = ["payment_id", "refund_id"]
    ordering: ClassVar = ["-requested_at", "-id"]
    search_help_text = _("Number of an order, or the gateway's reference of a payment or refund, as a whole")
    list_display: ClassVar = [
        REQUESTED,
        "order_link",
        "money",
        "shown_state",
        "reason",
        "actor",
        "refund_id",
    ]
    list_filter: ClassVar = ["state", "requested_at"]
    fields: ClassVar = [
        "order_link",
        "money",
        "shown_state",
        "reason",
        "actor",
        REQUESTED,
        ENDED,
        "refund_id",
        "payment_id",
        "code",
        "detail",
    ]
    readonly_fields: ClassVar = ["order_link", "money", "shown_state", REQUESTED, ENDED]
