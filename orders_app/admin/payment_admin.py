"""Payments and refunds in the admin, newest first. Nobody changes them here: a refund begins at its order."""

from typing import ClassVar

from django.contrib import admin
from unfold.decorators import display

from orders_app.admin.large_table import RowsOfOrders
from orders_app.models import Payment, Refund

STATES = {"succeeded": "success", "requested": "info", "failed": "danger"}


class StateColumn:
    """The column with the state, in its colour."""

    @display(description="State", label=STATES, ordering="state")
    def shown_state(self, row: Payment | Refund) -> tuple[str, str]:
        """The state, and its name for people."""
        return row.state, row.get_state_display()


@admin.register(Payment)
class PaymentAdmin(StateColumn, RowsOfOrders):
    """The attempts to pay orders that have ended."""

    references: ClassVar = ["payment_id"]
    ordering: ClassVar = ["-ended_at", "-id"]
    search_help_text = "Number of an order, or the gateway's reference of a payment, as a whole"
    list_display: ClassVar = [
        "ended_at",
        "order_link",
        "attempt",
        "money",
        "shown_state",
        "payment_id",
        "code",
    ]
    list_filter: ClassVar = ["state", "ended_at"]
    fields: ClassVar = ["order_link", "attempt", "money", "state", "payment_id", "code", "detail", "ended_at"]
    readonly_fields: ClassVar = ["order_link", "money"]


@admin.register(Refund)
class RefundAdmin(StateColumn, RowsOfOrders):
    """What was given back, or is on its way."""

    references: ClassVar = ["payment_id", "refund_id"]
    ordering: ClassVar = ["-requested_at", "-id"]
    search_help_text = "Number of an order, or the gateway's reference of a payment or refund, as a whole"
    list_display: ClassVar = [
        "requested_at",
        "order_link",
        "money",
        "shown_state",
        "reason",
        "refund_id",
        "actor",
        "code",
    ]
    list_filter: ClassVar = ["state", "requested_at"]
    fields: ClassVar = [
        "order_link",
        "money",
        "state",
        "reason",
        "actor",
        "requested_at",
        "ended_at",
        "refund_id",
        "payment_id",
        "code",
        "detail",
    ]
    readonly_fields: ClassVar = ["order_link", "money"]
