"""The orders that a feed has told about last, so that it need not read their histories again."""

import time
from uuid import UUID

import msgspec

from orders_app.document import OrderDocument
from orders_app.event_log import LoggedEvent
from orders_app.exceptions import BrokenHistory
from orders_app.fold import fold_event

MAX_ORDERS = 2_000
MAX_SECONDS = 60.0
"""So long an order is remembered after its last event: its address may be erased from the log."""


class RecentOrders:
    """Orders after their latest known event, at most MAX_ORDERS for MAX_SECONDS. Not thread-safe."""

    def __init__(self) -> None:
        self._orders: dict[UUID, tuple[OrderDocument, float]] = {}

    def after(self, event: LoggedEvent) -> OrderDocument | None:
        """The order after this event; None where the order before it is not known, or the event is broken."""
        before = self._known(event.order_id) if event.version > 1 else None
        try:
            order = fold_event(before, event)
        except (BrokenHistory, msgspec.ValidationError):
            return None
        self.keep(order)
        return order

    def keep(self, order: OrderDocument) -> None:
        """Remember this order; of too many, the one that was remembered longest ago is forgotten."""
        self._orders.pop(order.id, None)
        self._orders[order.id] = (order, time.monotonic())
        if len(self._orders) > MAX_ORDERS:
            del self._orders[next(iter(self._orders))]

    def _known(self, order_id: UUID) -> OrderDocument | None:
        order, at = self._orders.get(order_id, (None, 0.0))
        return order if time.monotonic() - at < MAX_SECONDS else None
