"""Changing orders: they are locked and read, changed in steps, and written with their events."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from msgspec import UNSET, UnsetType

from orders_app import event_data, event_log
from orders_app.document import CancelReason, OrderChanges, OrderDocument, ShippingAddress, apply_changes
from orders_app.event_data import ChangingData, EventType
from orders_app.event_log import NewEvent, Origin, new_event
from orders_app.exceptions import (
    OrderNotDeletable,
    OrderNotEditable,
    OrderNotFound,
    OrderNotPayable,
    TransitionNotAllowed,
)
from orders_app.models.rows import read_documents, update_rows
from orders_app.state_machine import (
    FINAL,
    OrderStatus,
    PaymentMethod,
    PaymentStatus,
    StockStatus,
    is_allowed,
)

CASH_DUE = (PaymentMethod.CASH_ON_DELIVERY, PaymentStatus.PENDING)


class LockedOrder:
    """One locked order. Each step checks the state, changes `document` and adds an event."""

    def __init__(self, document: OrderDocument, origin: Origin, now: datetime) -> None:
        self.document = document
        self.origin = origin
        self.events: list[NewEvent] = []
        self._now = now

    def move_to(self, status: OrderStatus) -> None:
        """Change the status, to any but Cancelled. Raises TransitionNotAllowed."""
        self._change_status(status, shipped_at=self._now if status == OrderStatus.SHIPPED else UNSET)
        if status == OrderStatus.DELIVERED:
            self._complete()

    def cancel(self, reason: CancelReason, stock_status: StockStatus | UnsetType = UNSET) -> None:
        """Cancel; stock that may be held is released, unless the new stock status says that none is held.

        Raises TransitionNotAllowed.
        """
        self._change_status(OrderStatus.CANCELLED, reason=reason.detail, stock_status=stock_status)
        self._record(
            EventType.CANCELLED,
            event_data.Cancelled(
                order_number=self.document.order_number,
                changes=self._changes(cancel_reason=reason, cancelled_at=self._now),
                total_amount=self.document.total_amount,
                items=self.document.items,
                reason=reason.detail,
                release_stock=self.document.stock_status in {StockStatus.PENDING, StockStatus.RESERVED},
                cancelled_at=self._now,
            ),
        )

    def confirm_stock(self) -> None:
        """Record that the stock is reserved; an order paid, or to be paid on delivery, becomes Processing."""
        self._change(EventType.CONFIRMED, stock_status=StockStatus.RESERVED)
        self._process_if_ready()

    def record_stock_status(self, stock_status: StockStatus) -> None:
        """Record what happened to the stock, without changing the order's status."""
        released = stock_status == StockStatus.RELEASED
        self._change(EventType.STOCK_RELEASED if released else EventType.UPDATED, stock_status=stock_status)

    def request_release(self, reason: str) -> None:
        """Request the release of stock that was reserved for an order that is already cancelled."""
        self._record(
            EventType.RELEASE_REQUESTED,
            event_data.ReleaseRequested(
                order_number=self.document.order_number,
                changes=self._changes(stock_status=StockStatus.RESERVED),
                items=self.document.items,
                reason=reason,
            ),
        )

    def request_reserve(self) -> None:
        """Request the stock again; the stock service repeats its answer if it has given one."""
        self._record(
            EventType.RESERVE_REQUESTED,
            event_data.ReserveRequested(self.document.order_number, self._changes(), self.document.items),
        )

    def mark_paid(self) -> None:
        """Record the payment; nothing changes where it is recorded already. Raises OrderNotPayable."""
        if self.document.payment_status == PaymentStatus.PAID:
            return
        if self.document.status == OrderStatus.CANCELLED:
            raise OrderNotPayable("it is cancelled")
        if self.document.payment_status == PaymentStatus.REFUNDED:
            raise OrderNotPayable("the money was given back")
        self._change(EventType.PAYMENT, payment_status=PaymentStatus.PAID)
        self._process_if_ready()

    def edit(self, shipping_address: ShippingAddress | None, tracking_number: str | None) -> None:
        """Change what is given and different. Raises OrderNotEditable."""
        changes: dict[str, Any] = {}
        if shipping_address not in {None, self.document.shipping_address}:
            self._require_editable("shippingAddress", self.document.status == OrderStatus.PENDING)
            changes["shipping_address"] = shipping_address
        if tracking_number is not None and tracking_number != (self.document.tracking_number or ""):
            self._require_editable("trackingNumber", self.document.status not in FINAL)
            changes["tracking_number"] = tracking_number or None
        if changes:
            self._change(EventType.UPDATED, **changes)

    def delete(self) -> None:
        """Record the deletion; the caller deletes the row. Raises OrderNotDeletable."""
        if self.document.status not in FINAL:
            raise OrderNotDeletable(self.document.status)
        self._change(EventType.DELETED)

    def _require_editable(self, field: str, editable: bool) -> None:
        if not editable:
            raise OrderNotEditable(field, self.document.status)

    def _process_if_ready(self) -> None:
        document = self.document
        is_paid_for = (
            document.payment_status == PaymentStatus.PAID
            or document.payment_method == PaymentMethod.CASH_ON_DELIVERY
        )
        if (
            document.status == OrderStatus.PENDING
            and document.stock_status == StockStatus.RESERVED
            and is_paid_for
        ):
            self.move_to(OrderStatus.PROCESSING)

    def _complete(self) -> None:
        document = self.document
        self._record(
            EventType.COMPLETED,
            event_data.Completed(
                order_number=document.order_number,
                changes=self._changes(delivered_at=self._now),
                total_amount=document.total_amount,
                items=document.items,
                delivered_at=self._now,
            ),
        )
        if (document.payment_method, document.payment_status) == CASH_DUE:
            self.mark_paid()

    def _change_status(self, status: OrderStatus, reason: str | UnsetType = UNSET, **changes: Any) -> None:
        current = self.document.status
        if not is_allowed(current, status):
            raise TransitionNotAllowed(current, status)
        self._record(
            EventType.STATUS_CHANGED,
            event_data.StatusChanged(
                order_number=self.document.order_number,
                changes=self._changes(status=status, status_label=status.label, **changes),
                old_status=current,
                new_status=status,
                reason=reason,
            ),
        )

    def _change(self, event_type: EventType, **changes: Any) -> None:
        self._record(event_type, event_data.Changed(self.document.order_number, self._changes(**changes)))

    def _changes(self, **changes: Any) -> OrderChanges:
        return OrderChanges(updated_at=self._now, **changes)

    def _record(self, event_type: EventType, data: ChangingData) -> None:
        version = self.document.version + 1
        self.document = apply_changes(data.changes, self.document, version)
        self.events.append(new_event(event_type, data, self.document, self.origin, self._now))


@contextmanager
def locked_orders(order_ids: Collection[UUID], origin: Origin) -> Iterator[dict[UUID, LockedOrder]]:
    """Lock and read these orders in one transaction, and write their changes when the block ends.

    Gives those that exist, by id. After an exception in the block nothing is written.
    """
    with transaction.atomic():
        event_log.lock_orders(order_ids)
        now = timezone.now()
        documents = read_documents(order_ids)
        orders = {order_id: LockedOrder(found, origin, now) for order_id, found in documents.items()}
        yield orders
        changed = [order for order in orders.values() if order.events]
        if changed:
            update_rows([order.document for order in changed])
            event_log.append([event for order in changed for event in order.events])


@contextmanager
def locked_order(order_id: UUID, origin: Origin) -> Iterator[LockedOrder]:
    """Lock a single order, as `locked_orders` does. Raises OrderNotFound."""
    with locked_orders([order_id], origin) as orders:
        if order_id not in orders:
            raise OrderNotFound(order_id)
        yield orders[order_id]
