"""The list of orders: its columns, its search, and pages that are quick among a million orders."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce, Now
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy
from unfold.decorators import display
from unfold.views import ChangeList

from orders_app.admin.large_table import CappedPaginator
from orders_app.admin.order_filters import WAITING_LISTS, WaitingFilter, waiting_tabs
from orders_app.models import Order
from orders_app.models.order import VIEW_CUSTOMERS
from orders_app.selectors import SEARCHED_FIRST, find_newest, is_beginning_of_all_numbers, search_newest
from orders_app.state_machine import StockStatus
from orders_app.state_words import PAYMENT_WORDS, STATUS_WORDS
from web.admin_columns import shown_age, shown_label, shown_money
from web.bounded_count import bounded_count

MANY_FOUND = _(
    "Very many orders match. Shown are those among the newest %(searched)s: for older ones, add a word or "
    "filter by time."
)
MORE_FOUND = _(
    "More than %(most)s orders match. Shown are the newest: for older ones, add a word or filter by time."
)
MOST_FOUND = 1_000
"""So many orders are shown of those that match a search."""
WITHOUT_CUSTOMERS = _("Number, product or tracking number")
"""By what staff who may not see customers find orders: names and cities are not searched then."""
TIMES = "\u00d7"
SHORT_STOCK_WORDS: Mapping[str, tuple[Promise, str]] = {
    StockStatus.PENDING: (pgettext_lazy("stock", "Waiting"), "waiting"),
    StockStatus.RESERVED: (pgettext_lazy("stock", "Reserved"), "good"),
    StockStatus.REJECTED: (pgettext_lazy("stock", "Not there"), "bad"),
    StockStatus.RELEASED: (pgettext_lazy("stock", "Given back"), "neutral"),
}
"""Under a heading that says that they are about the stock."""
NEWEST_FIRST, OLDEST_FIRST = ("-created_at", "-pk"), ("created_at", "pk")


class OrderList(ChangeList):
    """The orders that a page of the list is cut from."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Order]:
        """The orders that are asked for, sorted.

        Few orders are read and then sorted. Sorted by the bare columns, PostgreSQL would look for them among
        the orders of all times, newest first, if it expects more than there are.
        """
        found: QuerySet[Order] = super().get_queryset(request, exclude_parameters)
        if not found.query.where or not bounded_count(found).is_exact:
            return found
        return found.order_by(*(_computed(name) for name in found.query.order_by))

    def get_results(self, request: HttpRequest) -> None:
        """The orders of the page. How many there are is said below the list, and not in its title too."""
        super().get_results(request)
        self.full_result_count = self.result_count
        if not request.user.has_perm(VIEW_CUSTOMERS):
            self.search_help_text = WITHOUT_CUSTOMERS


class OrderColumns:
    """The columns of the list, and how it is searched, filtered and sorted."""

    list_display: ClassVar = [
        "number",
        "placed",
        "customer",
        "contents",
        "total",
        "status_label",
        "payment_label",
        "stock_label",
    ]
    list_display_links: ClassVar = ["number"]
    list_filter: ClassVar = [
        WaitingFilter,
        "status",
        "payment_status",
        "stock_status",
        "payment_method",
        "created_at",
    ]
    list_select_related: ClassVar = ["user"]
    list_per_page = 50
    list_max_show_all = 50
    list_fullwidth = True
    list_disable_select_all = True
    list_before_template = "admin/orders_app/order/waiting_tabs.html"
    # Shows the box; `get_search_results` does the search.
    search_fields: ClassVar = ["order_number"]
    search_help_text = _("Number, customer, e-mail, product, tracking number or city")
    show_full_result_count = False
    # The counts beside the filters would read all rows.
    show_facets = ShowFacets.NEVER
    paginator = CappedPaginator
    nothing = _("No orders here")
    nothing_more = _("Orders stand here as soon as customers place them.")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The class of the list."""
        return OrderList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """The orders with their items."""
        return Order.objects.prefetch_related("items")

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        """Orders that wait for somebody: those first that wait longest; all others newest first."""
        is_waiting = request.GET.get(WaitingFilter.parameter_name) in WAITING_LISTS
        return OLDEST_FIRST if is_waiting else NEWEST_FIRST

    def get_list_display(self, request: HttpRequest) -> Sequence[str]:
        """The columns; the customer's name for those who may see it."""
        if request.user.has_perm(VIEW_CUSTOMERS):
            return self.list_display
        return [name for name in self.list_display if name != "customer"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """The same search as in the API, by customers only for those who may see them.

        Of a word that many orders have, the newest of them.
        """
        text = search_term.strip()
        if not text or is_beginning_of_all_numbers(text):
            return queryset, False
        by_customer = request.user.has_perm(VIEW_CUSTOMERS)
        newest = search_newest(queryset, text, by_customer=by_customer)
        if newest is not None:
            messages.info(request, MANY_FOUND % {"searched": SEARCHED_FIRST})
            return newest, False
        found = find_newest(queryset, text, MOST_FOUND + 1, by_customer=by_customer)
        if len(found) > MOST_FOUND:
            messages.info(request, MORE_FOUND % {"most": MOST_FOUND})
        return queryset.filter(pk__in=found[:MOST_FOUND]), False

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        """What the list shows besides its rows."""
        return {"waiting_tabs": list(waiting_tabs(request)), "export_query": request.GET.urlencode()}

    @display(description=_("Order"))
    def number(self, order: Order) -> str:
        """The number, which leads to the page of the order."""
        return format_html('<span class="whitespace-nowrap">{}</span>', order.order_number)

    @display(description=_("Placed"), ordering="created_at")
    def placed(self, order: Order) -> str:
        """How long ago it was placed."""
        return shown_age(order.created_at)

    @display(description=_("Customer"))
    def customer(self, order: Order) -> str:
        """The name of the customer, and the e-mail address below it."""
        name = order.user.get_full_name() or order.user.get_username()
        return format_html('{}<br><span class="order-soft">{}</span>', name, order.user.email)

    @display(description=_("Items"))
    def contents(self, order: Order) -> str:
        """The pieces of the first product, and how many more products there are."""
        first, *others = order.items.all() or [None]
        if first is None:
            return "-"
        more = ngettext("%d more product", "%d more products", len(others)) % len(others)
        shown = format_html(
            '<span class="order-item">{} {} {}</span>', first.quantity, TIMES, first.product_name
        )
        return (
            format_html('{}<br><span class="order-soft">{}</span>', shown, f"+ {more}") if others else shown
        )

    @display(description=_("Total"), ordering="total_amount")
    def total(self, order: Order) -> str:
        """The total with its currency."""
        money = shown_money(order.total_amount, order.currency)
        return format_html('<span class="order-amount">{}</span>', money)

    @display(description=_("Status"))
    def status_label(self, order: Order) -> str:
        """How far the order is."""
        return shown_label(*STATUS_WORDS[order.status])

    @display(description=_("Payment"))
    def payment_label(self, order: Order) -> str:
        """Whether it is paid, and how."""
        state = shown_label(*PAYMENT_WORDS[order.payment_status])
        return format_html(
            '{}<br><span class="order-soft">{}</span>', state, order.get_payment_method_display()
        )

    @display(description=_("Stock"))
    def stock_label(self, order: Order) -> str:
        """The last answer of the stock service."""
        return shown_label(*SHORT_STOCK_WORDS[order.stock_status])


def _computed(name: Any) -> Any:
    """The column to sort by, as an expression that no index has; other expressions stay."""
    if not isinstance(name, str):
        return name
    column = name.removeprefix("-")
    fallback = {"created_at": Now(), "total_amount": Value(Decimal(0))}.get(column)
    if fallback is None:
        return name
    computed = Coalesce(column, fallback)
    return computed.desc() if name.startswith("-") else computed.asc()
