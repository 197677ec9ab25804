"""What the pages of orders say to customers, in the active language."""

from datetime import datetime
from decimal import Decimal
from operator import attrgetter

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy
from msgspec import Struct

from orders_app.api.payment_shapes import (
    AttemptState,
    OrderPayments,
    OrderRefund,
    PaymentAttempt,
    RefundState,
)
from orders_app.customer_sentences import translated
from orders_app.document import OrderDocument
from orders_app.state_machine import OrderStatus, PaymentStatus, StockStatus

NAMED_LINES = 2

ATTEMPT_WORDS: dict[AttemptState, tuple[Promise, str]] = {
    AttemptState.PENDING: (gettext_lazy("Under way"), "waiting"),
    AttemptState.SUCCEEDED: (gettext_lazy("Paid"), "good"),
    AttemptState.FAILED: (gettext_lazy("Declined"), "bad"),
}
REFUND_WORDS: dict[RefundState, tuple[Promise, str]] = {
    RefundState.REQUESTED: (gettext_lazy("On its way"), "waiting"),
    RefundState.SUCCEEDED: (gettext_lazy("Given back"), "good"),
    RefundState.FAILED: (gettext_lazy("Failed, the shop looks into it"), "bad"),
}


def situation_of(order: OrderDocument) -> str:
    """How the order is and what comes next, in one sentence."""
    match order.status:
        case OrderStatus.PENDING:
            return _of_pending(order)
        case OrderStatus.PROCESSING:
            return gettext("Your order is being packed.")
        case OrderStatus.SHIPPED:
            return gettext("Your order is on its way to you.")
        case OrderStatus.DELIVERED:
            return gettext("Your order was delivered.")
        case OrderStatus.CANCELLED:
            return _of_cancelled(order)


def lines_in_short(order: OrderDocument) -> str:
    """The first lines of the order, and how many more there are."""
    lines = order.items[:NAMED_LINES]
    named = ", ".join(f"{line.quantity} \N{MULTIPLICATION SIGN} {line.product_name}" for line in lines)
    more = len(order.items) - NAMED_LINES
    return gettext("%(lines)s and %(more)s more") % {"lines": named, "more": more} if more > 0 else named


def _of_pending(order: OrderDocument) -> str:
    if order.payment_status == PaymentStatus.FAILED:
        return gettext("Your payment was declined. Please pay again.")
    if order.stock_status != StockStatus.RESERVED:
        return gettext("We are reserving your items.")
    if order.is_payment_under_way:
        return gettext("Your items are reserved, and your payment is under way.")
    if order.lacks_payment:
        return gettext("Your items are reserved. Please pay, so that we can pack them.")
    return gettext("Your items are reserved.")


def _of_cancelled(order: OrderDocument) -> str:
    if order.refunded_amount < order.refund_requested_amount:
        return gettext("Your order was cancelled, and your money is on its way back.")
    if order.payment_status == PaymentStatus.REFUNDED:
        return gettext("Your order was cancelled, and your money was given back.")
    return gettext("Your order was cancelled.")


def payment_note(order: OrderDocument) -> str:
    """How the payment is, in one sentence; after a decline, why."""
    match order.payment_status:
        case PaymentStatus.PAID:
            return gettext("It is paid.")
        case PaymentStatus.REFUNDED:
            return gettext("All of it was given back.")
        case PaymentStatus.FAILED if order.payment_failure:
            return translated(order.payment_failure.detail)
    return _of_unpaid(order)


def _of_unpaid(order: OrderDocument) -> str:
    if order.status == OrderStatus.CANCELLED:
        return gettext("Nothing was charged.")
    if not order.is_prepaid:
        return gettext("You pay when it is delivered.")
    if order.is_payment_under_way:
        return gettext("Your payment is under way.")
    return gettext("It is not paid yet.")


class PaymentLine(Struct, frozen=True):
    """An attempt to pay, or money that went back, in words."""

    title: str
    time: datetime
    amount: Decimal
    currency: str
    state: Promise
    tone: str
    detail: str
    reference: str


def payment_lines(payments: OrderPayments) -> list[PaymentLine]:
    """The attempts to pay and the refunds of an order, oldest first."""
    lines = [*map(_attempt, payments.attempts), *map(_refund, payments.refunds)]
    return sorted(lines, key=attrgetter("time"))


def _attempt(attempt: PaymentAttempt) -> PaymentLine:
    state, tone = ATTEMPT_WORDS[attempt.state]
    return PaymentLine(
        gettext("Payment, attempt %(attempt)s") % {"attempt": attempt.attempt},
        attempt.time,
        attempt.amount,
        attempt.currency,
        state,
        tone,
        translated(attempt.detail or ""),
        attempt.reference or "",
    )


def _refund(refund: OrderRefund) -> PaymentLine:
    state, tone = REFUND_WORDS[refund.state]
    return PaymentLine(
        gettext("Money back"),
        refund.time,
        refund.amount,
        refund.currency,
        state,
        tone,
        translated(refund.reason),
        refund.reference or "",
    )
