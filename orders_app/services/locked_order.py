"""The steps by which a locked order changes."""

from typing import Any

from msgspec import UNSET, UnsetType

from orders_app import event_data
from orders_app.document import CancelCode, CancelReason, PaymentFailure, ShippingAddress
from orders_app.event_data import EventType, Override
from orders_app.exceptions import (
    OrderNotDeletable,
    OrderNotEditable,
    OrderNotPayable,
    PaymentUnderWay,
)
from orders_app.models import Payment
from orders_app.order_rules import (
    is_ready,
    missing_for,
    require_payable,
    require_stock_and_payment,
    require_transition,
)
from orders_app.services.payment_steps import PaymentSteps
from orders_app.state_machine import (
    FINAL,
    OrderStatus,
    PaymentMethod,
    PaymentStatus,
    StockStatus,
    is_last_decline,
)

CASH_DUE = (PaymentMethod.CASH_ON_DELIVERY, PaymentStatus.PENDING)
PAYMENT_FAILED = CancelReason(
    CancelCode.PAYMENT_FAILED, "The payment was declined, so the order was cancelled. Nothing was charged."
)
CANCELLED_WHEN_PAID = "The order was cancelled after it was paid."
PAID_WHEN_CANCELLED = "The payment came after the order was cancelled."


class LockedOrder(PaymentSteps):
    """One locked order. Each step checks the state, changes `document` and adds an event."""

    def move_to(self, status: OrderStatus, override_reason: str = "") -> None:
        """Change the status, to any but Cancelled; with a reason for it also without stock or payment.

        Raises TransitionNotAllowed, StockPending or PaymentPending.
        """
        require_transition(self.document, status)
        self._change_status(
            status,
            override=self._check_stock_and_payment(status, override_reason),
            shipped_at=self._now if status == OrderStatus.SHIPPED else UNSET,
        )
        if status == OrderStatus.DELIVERED:
            self._complete()

    def cancel(
        self,
        reason: CancelReason,
        stock_status: StockStatus | UnsetType = UNSET,
        rejected_products: tuple[str, ...] = (),
    ) -> None:
        """Cancel; stock that may be held is released, unless the new stock status says that none is held.

        A payment that was not sent to the gateway is called off, and money that was taken is asked back.
        Raises TransitionNotAllowed.
        """
        require_transition(self.document, OrderStatus.CANCELLED)
        self.call_off_payment()
        self._change_status(OrderStatus.CANCELLED, reason=reason.detail, stock_status=stock_status)
        self._record(
            EventType.CANCELLED,
            event_data.Cancelled(
                shape=2,
                order_number=self.document.order_number,
                changes=self._changes(cancel_reason=reason, cancelled_at=self._now),
                total_amount=self.document.total_amount,
                items=self.document.items,
                reason=reason.detail,
                release_stock=self.document.stock_status in {StockStatus.PENDING, StockStatus.RESERVED},
                cancelled_at=self._now,
                rejected_products=rejected_products,
            ),
        )
        self.refund_rest(CANCELLED_WHEN_PAID)

    def confirm_stock(self) -> None:
        """Record that the stock is reserved; an order that need not be paid first becomes Processing.

        An order with nothing to pay, unless it is paid on delivery, counts as paid from then on. A payment
        that waits for the stock is asked for.
        """
        self._change_stock_or_money(
            EventType.CONFIRMED,
            is_announced=self.document.status != OrderStatus.PENDING or self.document.lacks_payment,
            stock_status=StockStatus.RESERVED,
        )
        if self.document.has_nothing_to_pay:
            self.count_as_paid()
        self.request_payment_if_due()
        self._process_if_ready()

    def record_stock_status(self, stock_status: StockStatus) -> None:
        """Record what happened to the stock, without changing the order's status."""
        released = stock_status == StockStatus.RELEASED
        self._change(EventType.STOCK_RELEASED if released else EventType.UPDATED, stock_status=stock_status)

    def request_release(self, reason: str) -> None:
        """Request the release of stock that may be reserved for an order that is already cancelled.

        Rejected stock stays rejected unless the answer is that something was given back.
        """
        is_rejected = self.document.stock_status == StockStatus.REJECTED
        self._record(
            EventType.RELEASE_REQUESTED,
            event_data.ReleaseRequested(
                order_number=self.document.order_number,
                changes=self._changes(stock_status=UNSET if is_rejected else StockStatus.RESERVED),
                items=self.document.items,
                reason=reason,
            ),
        )

    def request_reserve(self) -> None:
        """Request the stock again; until the stock service has answered, the stock is pending."""
        changes = self._changes(stock_status=StockStatus.PENDING)
        self._record(
            EventType.RESERVE_REQUESTED,
            event_data.ReserveRequested(self.document.order_number, changes, self.document.items),
        )

    def mark_paid(self) -> None:
        """Record a payment that did not come through the gateway; nothing changes where the order is paid.

        Raises OrderNotPayable.
        """
        if self.document.payment_status == PaymentStatus.PAID:
            return
        require_payable(self.document)
        self.call_off_payment()
        self.count_as_paid()
        self._process_if_ready()

    def pay(self, token: str) -> None:
        """Begin one more attempt to pay, by this token. Raises OrderNotPayable or PaymentUnderWay."""
        document = self.document
        require_payable(self.document)
        if document.payment_status == PaymentStatus.PAID:
            raise OrderNotPayable("it is paid already")
        if not document.is_prepaid:
            raise OrderNotPayable("it is paid on delivery")
        if not document.total_amount:
            raise OrderNotPayable("there is nothing to pay")
        if document.is_payment_under_way:
            raise PaymentUnderWay
        self.start_attempt(token)

    def take_payment(self, attempt: int, payment_id: str) -> None:
        """Count the order as paid by this payment; of a cancelled order the money is asked back."""
        if attempt < self.document.payment_attempts:
            self.call_off_payment()
        self.end_attempt(attempt, Payment.State.SUCCEEDED, payment_id)
        self.count_as_paid(payment_id)
        if self.document.status == OrderStatus.CANCELLED:
            self.refund_rest(PAID_WHEN_CANCELLED)
        else:
            self._process_if_ready()

    def fail_payment(self, payment_id: str, failure: PaymentFailure) -> None:
        """End the attempt under way; the third failure, or one for good, cancels an order that waits."""
        attempt = self.document.payment_attempts
        self.end_attempt(attempt, Payment.State.FAILED, payment_id, failure)
        self.record_failed_attempt(failure)
        if is_last_decline(failure.code, attempt) and self.document.status == OrderStatus.PENDING:
            self.cancel(PAYMENT_FAILED)

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
        if self.document.status == OrderStatus.PENDING and is_ready(self.document):
            self.move_to(OrderStatus.PROCESSING)

    def _check_stock_and_payment(self, status: OrderStatus, override_reason: str) -> Override | UnsetType:
        """The override that the step needs, if any. Raises StockPending or PaymentPending."""
        if not override_reason:
            require_stock_and_payment(self.document, status)
        missing = missing_for(self.document, status)
        return Override(override_reason, tuple(missing)) if missing else UNSET

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

    def _change_status(
        self,
        status: OrderStatus,
        reason: str | UnsetType = UNSET,
        override: Override | UnsetType = UNSET,
        **changes: Any,
    ) -> None:
        tracking_number = self.document.tracking_number if status == OrderStatus.SHIPPED else None
        self._record(
            EventType.STATUS_CHANGED,
            event_data.StatusChanged(
                order_number=self.document.order_number,
                changes=self._changes(status=status, status_label=status.label, **changes),
                old_status=self.document.status,
                new_status=status,
                reason=reason,
                override=override,
                tracking_number=tracking_number or UNSET,
                stock_status=changes.get("stock_status", UNSET) or self.document.stock_status,
                payment_status=self.document.payment_status,
            ),
        )
