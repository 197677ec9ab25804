"""The figures of products, from the lines of orders."""

from collections.abc import Iterator
from enum import StrEnum

from foundation.currencies import decimals_of
from orders_app.analytics import queries
from orders_app.analytics.figures import ProductFigures
from orders_app.analytics.order_figures import money
from orders_app.analytics.selection import Row, Selection, read, read_in_parts
from web.bounded_count import Count


class SortedBy(StrEnum):
    """What products are sorted by, most first."""

    REVENUE = "revenue"
    PIECES = "pieces"
    REJECTIONS = "rejections"


class ProductsOrdered:
    """The products of these orders, which are in this currency: read by slices or all, and counted.

    Read and count them in one snapshot.
    """

    def __init__(self, selection: Selection, currency: str, by: SortedBy) -> None:
        self._currency = currency
        self._column = by.value
        self._parameters = selection.parameters | {"decimals": decimals_of(currency)}

    def __getitem__(self, page: slice) -> list[ProductFigures]:
        skip = page.start or 0
        page_of = {"limit": page.stop - skip, "skip": skip}
        rows = read(queries.PAGE_OF_PRODUCTS.format(column=self._column), self._parameters | page_of)
        return [self._product(row) for row in rows]

    def __iter__(self) -> Iterator[ProductFigures]:
        sql = queries.SORTED_PRODUCTS.format(column=self._column)
        return map(self._product, read_in_parts(sql, self._parameters))

    def bounded_count(self, limit: int) -> Count:
        """How many there are: exactly, since their orders are read for their figures anyhow."""
        [[products]] = read(queries.COUNT_PRODUCTS, self._parameters)
        return Count(products, is_exact=True)

    def _product(self, row: Row) -> ProductFigures:
        product_id, name, category, orders, pieces, revenue, rejected = row
        amount = money(revenue, self._currency)
        return ProductFigures(product_id, name, category, orders, pieces, amount, rejected)
