"""Columns that several pages of the admin have: amounts of money, and links to orders."""

from decimal import Decimal
from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from orders_app.models import GatewayEvent, Order, Payment, Refund

LINK = "font-medium text-primary-600 dark:text-primary-500 whitespace-nowrap"
NO_BREAK = "\u00a0"


def shown_money(amount: Decimal | None, currency: str) -> str:
    """The amount with the decimals that it has; Django's own columns show three for every currency."""
    return "" if amount is None else f"{amount}{NO_BREAK}{currency}"


def linked_order(order_id: UUID | None, number: str | None) -> str:
    """A link to the page of the order; its id where there is no such order any more."""
    if order_id is None or number is None:
        return str(order_id or "")
    page = reverse("admin:orders_app_order_change", args=[order_id])
    return format_html('<a class="{}" href="{}">{}</a>', LINK, page, number)


class MoneyColumn:
    """The column with the amount."""

    @display(description="Amount")
    def money(self, row: Payment | Refund | GatewayEvent) -> str:
        """The amount with its currency."""
        return shown_money(row.amount, row.currency)


class OrderMoneyColumns:
    """The amounts of an order."""

    @display(description="Total", ordering="total_amount")
    def total(self, order: Order) -> str:
        """The total with its currency."""
        return shown_money(order.total_amount, order.currency)

    @display(description="Refunds, asked for")
    def asked_back(self, order: Order) -> str:
        """What was asked back, done or on its way."""
        return shown_money(order.refund_requested_amount, order.currency)

    @display(description="Refunds, done")
    def went_back(self, order: Order) -> str:
        """What went back."""
        return shown_money(order.refunded_amount, order.currency)
