"""Lists of tables that grow with the orders: their pages cost the same however many rows there are."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib.admin import ShowFacets
from django.core.paginator import Paginator
from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.decorators import display

from orders_app.admin.columns import MoneyColumn, linked_order
from orders_app.models import Order
from orders_app.selectors import search_by_order
from web.read_only_admin import ReadOnlyAdmin

MAX_COUNTED_ROWS = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Counts at most MAX_COUNTED_ROWS rows: counting millions takes seconds, and no page needs it."""

    template_name = "admin/capped_pagination.html"
    """How unfold shows the pages: where the count ends, it says that there are more."""
    most = MAX_COUNTED_ROWS

    @cached_property
    def count(self) -> int:
        """The number of rows, or the limit if there are more."""
        # Without an order, PostgreSQL can count them by an index of the states.
        return self.object_list.order_by()[:MAX_COUNTED_ROWS].count()  # type: ignore[attr-defined]  # a query set


class RowsOfOrders(MoneyColumn, ReadOnlyAdmin):
    """A read-only list of rows that belong to orders, which may be deleted while their rows stay.

    The search finds the rows of an order by its number, and a row by one of its `references`, as a whole.
    """

    references: ClassVar[Sequence[str]]
    list_per_page = 50
    show_full_result_count = False
    # The counts beside the filters would read all rows.
    show_facets = ShowFacets.NEVER
    paginator = CappedPaginator
    # Shows the box; `get_search_results` does the search.
    search_fields: ClassVar = ["order_id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows, with the numbers of their orders."""
        number = Order.objects.order_by().filter(pk=OuterRef("order_id")).values("order_number")
        return super().get_queryset(request).annotate(number_of_order=Subquery(number))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows that are found through indexes."""
        text = search_term.strip()
        return (search_by_order(queryset, text, self.references) if text else queryset), False

    @display(description="Order")
    def order_link(self, row: Model) -> str:
        """The number of the order, which leads to its page."""
        row_of: Any = row
        return linked_order(row_of.order_id, row_of.number_of_order)
