"""Which orders hold pieces of a product, ours and those of external services."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from orders_app.models import Order
from orders_app.selectors import orders_holding
from products_app.stock_selectors import ExternalHolds, HeldLine, find_held_lines
from web.bounded_count import Count, bounded_count


class Hold(Struct, frozen=True, rename="camel"):
    """What an order holds; an order of an external service has no number."""

    order_id: str
    order_number: str | None
    quantity: int
    since: datetime | None


NOTHING = HeldLine("", 0, None)


class HoldsOf:
    """The orders that hold a product and are not delivered yet: ours, then those of external services."""

    def __init__(self, product_id: str) -> None:
        self._product_id = product_id
        self._ours = orders_holding(product_id)
        self._external = ExternalHolds(product_id)

    def bounded_count(self, limit: int) -> Count:
        """How many there are, exact up to `limit`."""
        counts = [bounded_count(rows, limit) for rows in (self._ours, self._external)]
        return Count(sum(count.rows for count in counts), all(count.is_exact for count in counts))

    def __getitem__(self, page: slice) -> list[Hold]:
        ours = list(self._ours[page])
        holds = self._holds_of(ours)
        if (missing := page.stop - page.start - len(ours)) > 0:
            first = max(0, page.start - self._ours.count()) if not ours else 0
            external = self._external[first : first + missing]
            holds += [Hold(each.order_id, None, each.quantity, each.since) for each in external]
        return holds

    def _holds_of(self, orders: Sequence[Order]) -> list[Hold]:
        """What the ledger says of these orders; nothing is held where it has no entry."""
        order_ids = [str(order.id) for order in orders]
        held = find_held_lines(product_id=self._product_id, order_ids=order_ids)
        lines = [(order, held.get(str(order.id), NOTHING)) for order in orders]
        return [Hold(str(order.id), order.order_number, line.quantity, line.since) for order, line in lines]
