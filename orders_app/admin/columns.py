"""Columns that several pages of the admin have: amounts of money, and links to orders."""

from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from orders_app.models import GatewayEvent, Payment, Refund
from web.admin_columns import shown_money

LINK = "font-medium text-primary-600 dark:text-primary-500 whitespace-nowrap"


def linked_order(order_id: UUID | None, number: str | None) -> str:
    """A link to the page of the order; its id where there is no such order any more."""
    if order_id is None or number is None:
        return str(order_id or "")
    page = reverse("admin:orders_app_order_change", args=[order_id])
    return format_html('<a class="{}" href="{}">{}</a>', LINK, page, number)


class MoneyColumn:
    """The column with the amount."""

    @display(description=_("Amount"))
    def money(self, row: Payment | Refund | GatewayEvent) -> str:
        """The amount with its currency."""
        return shown_money(row.amount, row.currency)
