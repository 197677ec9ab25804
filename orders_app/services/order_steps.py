"""What all steps of a locked order share: they change its document and add an event."""

from datetime import datetime
from typing import Any

from orders_app import event_data
from orders_app.document import OrderChanges, OrderDocument, apply_changes
from orders_app.event_data import ChangingData, EventType
from orders_app.event_log import NewEvent, Origin, new_event
from orders_app.models.payment_rows import PaymentRows


class OrderSteps:
    """A locked order: its document as the steps have made it, and what is to be written with it."""

    def __init__(self, document: OrderDocument, origin: Origin, now: datetime) -> None:
        self.document = document
        self.origin = origin
        self.events: list[NewEvent] = []
        self.payment_rows = PaymentRows(document.id)
        self._now = now

    def _change(self, event_type: EventType, **changes: Any) -> None:
        number, changed = self.document.order_number, self._changes(**changes)
        if event_type == EventType.UPDATED:
            self._record(event_type, event_data.Updated(2, number, changed))
        else:
            self._record(event_type, event_data.Changed(number, changed))

    def _change_stock_or_money(self, event_type: EventType, *, is_announced: bool, **changes: Any) -> None:
        number, changed = self.document.order_number, self._changes(**changes)
        self._record(event_type, event_data.StockOrMoneyChanged(number, changed, is_announced))

    def _changes(self, **changes: Any) -> OrderChanges:
        return OrderChanges(updated_at=self._now, **changes)

    def _record(self, event_type: EventType, data: ChangingData) -> None:
        version = self.document.version + 1
        self.document = apply_changes(data.changes, self.document, version)
        self.events.append(new_event(event_type, data, self.document, self.origin, self._now))
