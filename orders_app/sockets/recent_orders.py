"""The orders that a feed has told about last, so that it need not read their histories again."""

from uuid import UUID

import msgspec

from orders_app.document import OrderDocument
from orders_app.event_log import LoggedEvent
from orders_app.exceptions import BrokenHistory
from orders_app.fold import fold_event

MAX_ORDERS = 2_000


class RecentOrders:
    """Orders after their latest known event, at most MAX_ORDERS. Not thread-safe."""

    def __init__(self) -> None:
        self._orders: dict[UUID, OrderDocument] = {}

    def after(self, event: LoggedEvent) -> OrderDocument | None:
        """The order after this event; None where the order before it is not known, or the event is broken."""
        before = self._orders.get(event.order_id) if event.version > 1 else None
        try:
            order = fold_event(before, event)
        except (BrokenHistory, msgspec.ValidationError):
            return None
        self.keep(order)
        return order

    def keep(self, order: OrderDocument) -> None:
        """Remember this order; of too many, the one that was remembered longest ago is forgotten."""
        self._orders.pop(order.id, None)
        self._orders[order.id] = order
        if len(self._orders) > MAX_ORDERS:
            del self._orders[next(iter(self._orders))]
