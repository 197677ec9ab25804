"""Recording the answers of the payment service on the orders (docs/payments.md lists the cases).

The order keeps the first payment that was taken for it. Any other is asked back, and so is the first if the
order is cancelled. What an answer changes follows from the order and its rows alone, so that answers may come
in any order and any number of times.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import partial
from uuid import UUID

from orders_app.document import OrderDocument, PaymentFailure
from orders_app.event_log import Origin
from orders_app.models import Payment, Refund
from orders_app.services.answer_counts import AnswerCounts
from orders_app.services.keep_payment_contradiction import keep_payment_contradiction
from orders_app.services.locked_order import LockedOrder
from orders_app.services.locking import locked_orders
from orders_app.services.payment_answers import (
    MoneyReturned,
    PaymentAnswer,
    PaymentDeclined,
    PaymentTaken,
    contradiction_of_payment,
    contradiction_of_refund,
)
from orders_app.services.payment_steps import RefundRequest
from orders_app.services.usual_answers import record_usual_answers
from orders_app.state_machine import UNPAID, PaymentStatus

PAID_BEFORE = "The order was paid already."


class _Money:
    """The payments and refunds of one order as they are stored, and as this batch changes them."""

    def __init__(self) -> None:
        self.ended: dict[int, Payment.State] = {}
        self.refunds: dict[int, Refund] = {}
        self.asked_back: set[str] = set()


def record_payment_answers(*, answers: Sequence[PaymentAnswer], origin_actor: str) -> int:
    """Record these answers, those about one order in their order; how many of them changed nothing.

    Safe to run again with the same or old answers. Answers about unknown orders are ignored; one that
    contradicts its order changes nothing and is kept for people. Two transactions: one for the ends of
    attempts that are under way, and one for all other answers.
    """
    counts = AnswerCounts()
    unusual = record_usual_answers(
        answers=answers, origin_actor=origin_actor, is_usual=_is_usual, record=_end_attempt
    )
    if not unusual:
        return 0
    with locked_orders({order_id for order_id, _ in unusual}, Origin(origin_actor)) as orders:
        money = _read_money(orders.keys())
        for order_id, answer in unusual:
            if order := orders.get(order_id):
                order.origin = Origin(origin_actor, answer.origin.trace_parent)
                _record(order, answer, money[order_id], counts)
    return counts.repeated


def record_refund_failure(
    *, order_id: UUID, refund: int, failure: PaymentFailure, origin: Origin, refund_id: str = ""
) -> None:
    """Record that a refund failed, now or after it had succeeded; of an unknown or failed one nothing.

    `refund` is the version of the event that asked for it, `refund_id` the gateway's id if it has made one. A
    refund that succeeded under another id has not failed.
    """
    with locked_orders([order_id], origin) as orders:
        known = Refund.objects.filter(order_id=order_id, version=refund, refund_id__in={"", refund_id})
        row = known.exclude(state=Refund.State.FAILED).first()
        if order_id in orders and row:
            orders[order_id].record_failed_refund(row, refund_id, failure)


def _is_usual(answer: PaymentAnswer, order: OrderDocument) -> bool:
    """Whether the answer is the end of the attempt that is under way: of that no row is stored yet."""
    return (
        not isinstance(answer, MoneyReturned)
        and order.is_payment_under_way
        and answer.attempt == order.payment_attempts
        and contradiction_of_payment(answer, order, None) is None
    )


def _end_attempt(order: LockedOrder, answer: PaymentAnswer) -> None:
    match answer:
        case PaymentTaken():
            order.take_payment(answer.attempt, answer.payment_id)
        case PaymentDeclined():
            order.fail_payment(answer.payment_id, answer.failure)


def _read_money(order_ids: Collection[UUID]) -> defaultdict[UUID, _Money]:
    money = defaultdict[UUID, _Money](_Money)
    ended = Payment.objects.order_by().filter(order_id__in=order_ids)
    for order_id, attempt, state in ended.values_list("order_id", "attempt", "state"):
        money[order_id].ended[attempt] = Payment.State(state)
    for refund in Refund.objects.order_by().filter(order_id__in=order_ids):
        money[refund.order_id].refunds[refund.version] = refund
        money[refund.order_id].asked_back.add(refund.payment_id)
    return money


def _record(order: LockedOrder, answer: PaymentAnswer, money: _Money, counts: AnswerCounts) -> None:
    if isinstance(answer, MoneyReturned):
        refund = money.refunds.get(answer.refund)
        contradiction = contradiction_of_refund(answer, refund)
    else:
        contradiction = contradiction_of_payment(answer, order.document, money.ended.get(answer.attempt))
    if contradiction:
        keep_payment_contradiction(answer=answer, order=order.document, contradiction=contradiction)
    else:
        counts.counting(partial(_apply, money=money))(order, answer)


def _apply(order: LockedOrder, answer: PaymentAnswer, money: _Money) -> None:
    """Record an answer that agrees with the order; one that comes a second time changes nothing."""
    match answer:
        case PaymentTaken():
            _record_success(order, answer, money)
        case PaymentDeclined():
            _record_failure(order, answer, money)
        case MoneyReturned():
            _record_refund(order, answer, money)


def _record_success(order: LockedOrder, answer: PaymentTaken, money: _Money) -> None:
    document = order.document
    is_known = answer.payment_id == document.payment_reference or answer.payment_id in money.asked_back
    if is_known:
        return
    if document.payment_status in UNPAID:
        order.take_payment(answer.attempt, answer.payment_id)
    else:
        if money.ended.get(answer.attempt) != Payment.State.SUCCEEDED:
            order.end_attempt(answer.attempt, Payment.State.SUCCEEDED, answer.payment_id)
        order.request_refund(_whole_payment(order, answer))
        money.asked_back.add(answer.payment_id)
    money.ended[answer.attempt] = Payment.State.SUCCEEDED


def _whole_payment(order: LockedOrder, answer: PaymentTaken) -> RefundRequest:
    return RefundRequest(
        payment_id=answer.payment_id,
        attempt=answer.attempt,
        amount=order.document.total_amount,
        reason=PAID_BEFORE,
    )


def _record_failure(order: LockedOrder, answer: PaymentDeclined, money: _Money) -> None:
    if answer.attempt in money.ended:
        return
    is_awaited = order.document.payment_status == PaymentStatus.PENDING
    if is_awaited and answer.attempt == order.document.payment_attempts:
        order.fail_payment(answer.payment_id, answer.failure)
    else:
        order.end_attempt(answer.attempt, Payment.State.FAILED, answer.payment_id, answer.failure)
    money.ended[answer.attempt] = Payment.State.FAILED


def _record_refund(order: LockedOrder, answer: MoneyReturned, money: _Money) -> None:
    refund = money.refunds[answer.refund]
    # A refund may fail after it had succeeded, and that may be known before its success is read here.
    has_failed_since = refund.state == Refund.State.FAILED and refund.refund_id == answer.refund_id
    if refund.state != Refund.State.SUCCEEDED and not has_failed_since:
        order.record_refund(refund, answer.refund_id)
