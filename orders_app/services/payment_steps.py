"""The steps by which a locked order is paid, and by which money goes back (docs/payments.md)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from orders_app import event_data
from orders_app.document import PaymentFailure
from orders_app.event_data import EventType
from orders_app.models import Payment, Refund
from orders_app.models.payment_rows import EndedAttempt, EndedRefund, RequestedRefund, WaitingToken
from orders_app.services.order_steps import OrderSteps
from orders_app.state_machine import OrderStatus, PaymentStatus, StockStatus


class RefundRequest(Struct, frozen=True, kw_only=True):
    """An amount of one payment to be given back; with a key, the request is found again by it."""

    payment_id: str
    attempt: int
    amount: Decimal
    reason: str
    idempotency_key: str = ""


class PaymentSteps(OrderSteps):
    """The steps that are about money. The callers check whether they are allowed."""

    def start_attempt(self, token: str) -> None:
        """Keep the token for one more attempt, and ask for the payment as soon as it is due."""
        attempt = self.document.payment_attempts + 1
        self.payment_rows.tokens.append(WaitingToken(self.document.id, attempt, token, self._now))
        self._count_attempt(attempt)
        self.request_payment_if_due()

    def look_up_forgotten_attempt(self, attempt: int, payment_id: str) -> None:
        """Count an attempt of which the gateway knows and the order does not; ask what became of it."""
        self._count_attempt(attempt)
        self.request_payment(attempt, payment_id)

    def request_payment_if_due(self) -> None:
        """Ask for the payment that waits, once the stock is reserved."""
        if self.document.is_payment_under_way and self.document.stock_status == StockStatus.RESERVED:
            self.request_payment(self.document.payment_attempts)

    def request_payment(self, attempt: int, payment_id: str | UnsetType = UNSET) -> None:
        """Ask for the payment of this attempt; with an id, what became of that payment at the gateway."""
        data = event_data.PaymentRequested(
            order_number=self.document.order_number,
            changes=self._changes(),
            attempt=attempt,
            amount=self.document.total_amount,
            currency=self.document.currency,
            payment_id=payment_id,
        )
        self._record(EventType.PAYMENT_REQUESTED, data)

    def count_as_paid(self, payment_id: str | UnsetType = UNSET) -> None:
        """Record that the order is paid, by this payment at the gateway or by other means."""
        failure = UNSET if self.document.payment_failure is None else None
        self._change_stock_or_money(
            EventType.PAYMENT,
            is_announced=not self._awaits_only_payment(),
            payment_status=PaymentStatus.PAID,
            payment_reference=payment_id,
            payment_failure=failure,
            paid_at=self._now,
        )

    def record_failed_attempt(self, failure: PaymentFailure) -> None:
        """Record that the attempt under way has failed."""
        self._change_stock_or_money(
            EventType.PAYMENT,
            is_announced=False,
            payment_status=PaymentStatus.FAILED,
            payment_failure=failure,
        )

    def end_attempt(
        self, attempt: int, state: Payment.State, payment_id: str, failure: PaymentFailure | None = None
    ) -> None:
        """Keep how this attempt ended; its token goes."""
        self.payment_rows.ended[attempt] = EndedAttempt(
            order_id=self.document.id,
            attempt=attempt,
            amount=self.document.total_amount,
            currency=self.document.currency,
            state=state,
            payment_id=payment_id,
            code=failure.code if failure else "",
            detail=failure.detail if failure else "",
            ended_at=self._now,
        )

    def call_off_payment(self) -> None:
        """Give up the attempt that waits, unless its token was sent to the gateway: then its end counts."""
        if self.document.is_payment_under_way:
            self.payment_rows.calls_off_unsent = True

    def request_refund(self, request: RefundRequest) -> None:
        """Ask for money back; of the order's own payment it counts as asked for."""
        document = self.document
        asked = document.refund_requested_amount + request.amount
        data = event_data.RefundRequested(
            order_number=document.order_number,
            changes=self._changes(
                refund_requested_amount=asked if self._is_own(request.payment_id) else UNSET
            ),
            attempt=request.attempt,
            payment_id=request.payment_id,
            amount=request.amount,
            currency=document.currency,
            reason=request.reason,
        )
        self._record(EventType.REFUND_REQUESTED, data)
        self.payment_rows.refunds.append(self._refund_row(request))

    def refund_rest(self, reason: str) -> None:
        """Ask back what is left of the order's own payment, if anything."""
        document = self.document
        if document.payment_reference and document.refundable_amount:
            # Which attempt the money came from is known by the payment; nothing depends on this number.
            self.request_refund(
                RefundRequest(
                    payment_id=document.payment_reference,
                    attempt=document.payment_attempts,
                    amount=document.refundable_amount,
                    reason=reason,
                )
            )

    def record_refund(self, refund: Refund, refund_id: str) -> None:
        """Record that the money of this refund went back."""
        if not self._is_own(refund.payment_id):
            self._change_stock_or_money(EventType.REFUNDED, is_announced=False)
        else:
            was_given_up = refund.state == Refund.State.FAILED
            refunded = self.document.refunded_amount + refund.amount
            asked = self.document.refund_requested_amount + refund.amount
            is_all = refunded >= self.document.total_amount
            self._change_stock_or_money(
                EventType.REFUNDED,
                is_announced=True,
                refunded_amount=refunded,
                refund_requested_amount=asked if was_given_up else UNSET,
                payment_status=PaymentStatus.REFUNDED if is_all else UNSET,
            )
        self._end_refund(refund, Refund.State.SUCCEEDED, refund_id)

    def record_failed_refund(self, refund: Refund, refund_id: str, failure: PaymentFailure) -> None:
        """Record that this money does not go back, or came back to us: it may be asked for again."""
        changes: dict[str, Any] = {}
        if self._is_own(refund.payment_id):
            changes["refund_requested_amount"] = self.document.refund_requested_amount - refund.amount
            if refund.state == Refund.State.SUCCEEDED:
                changes["refunded_amount"] = self.document.refunded_amount - refund.amount
                changes["payment_status"] = PaymentStatus.PAID
        is_announced = "refunded_amount" in changes
        self._change_stock_or_money(EventType.REFUND_FAILED, is_announced=is_announced, **changes)
        self._end_refund(refund, Refund.State.FAILED, refund_id, failure)

    def _count_attempt(self, attempt: int) -> None:
        """Record that this attempt is under way; after one that has failed, the payment is pending again."""
        again: Mapping[str, Any] = {"payment_status": PaymentStatus.PENDING, "payment_failure": None}
        is_pending = self.document.payment_status == PaymentStatus.PENDING
        self._change(EventType.UPDATED, payment_attempts=attempt, **({} if is_pending else again))

    def _awaits_only_payment(self) -> bool:
        """Whether the order becomes Processing as soon as it is paid, which tells that it is."""
        is_pending = self.document.status == OrderStatus.PENDING
        return is_pending and self.document.stock_status == StockStatus.RESERVED

    def _is_own(self, payment_id: str) -> bool:
        """Whether the order is paid by this payment; another was taken for it too late or twice."""
        return payment_id == self.document.payment_reference

    def _refund_row(self, request: RefundRequest) -> RequestedRefund:
        return RequestedRefund(
            order_id=self.document.id,
            version=self.document.version,
            attempt=request.attempt,
            payment_id=request.payment_id,
            amount=request.amount,
            currency=self.document.currency,
            reason=request.reason,
            actor=self.origin.actor,
            idempotency_key=request.idempotency_key,
            requested_at=self._now,
        )

    def _end_refund(
        self, refund: Refund, state: Refund.State, refund_id: str, failure: PaymentFailure | None = None
    ) -> None:
        # The rest of a batch of answers sees the refund as it is now.
        refund.state, refund.refund_id = state, refund_id or refund.refund_id
        self.payment_rows.ended_refunds[refund.version] = EndedRefund(
            order_id=self.document.id,
            version=refund.version,
            state=state,
            refund_id=refund.refund_id,
            code=failure.code if failure else "",
            detail=failure.detail if failure else "",
            ended_at=self._now,
        )
