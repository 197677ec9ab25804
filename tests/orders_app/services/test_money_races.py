"""Money and concurrent work: a customer, staff, the hold expiry and the payment service at the same time."""

from collections.abc import Callable

import pytest
from django.db import connection

from orders_app.document import OrderDocument
from orders_app.event_data import EventType
from orders_app.exceptions import OrderNotPayable, PaymentUnderWay, RefundTooLarge, TransitionNotAllowed
from orders_app.models import PaymentToken, Refund
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER, cancel_order, mark_paid
from orders_app.services.expire_holds import expire_holds
from orders_app.services.locking import locked_order
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus
from tests.concurrency import (
    a_transaction_waits_for_an_order,
    of_type,
    race,
    result_of,
    run_together,
    start_beside,
)
from tests.orders_app.ordering import STAFF, OrderPlacer, answer, events, now, reserved
from tests.orders_app.paying import (
    GOOD,
    asked,
    declined,
    give_back_all,
    pay,
    record,
    refund,
    refunds_asked,
    send_tokens,
    taken,
    tokens,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_gateway")]
# As the payment service claims the tokens of a batch.
CLAIM = """
UPDATE payment_token SET sent_at = coalesce(sent_at, now())
WHERE order_id = ANY(%s) RETURNING order_id
"""


def cancel(order: OrderDocument) -> OrderDocument:
    return cancel_order(order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)


def expire(order: OrderDocument) -> object:
    return expire_holds(order_ids=[order.id], origin=STAFF)


def claim(*orders: OrderDocument) -> int:
    """Claims the tokens of these orders; how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [[order.id for order in orders]])
        return len(cursor.fetchall())


@pytest.fixture
def order(placer: OrderPlacer) -> OrderDocument:
    """An order of 20.00 USD whose stock is reserved, and whose token waits to be charged."""
    return placer.place_reserved(payment_method=PaymentMethod.STRIPE, payment_token=GOOD)


def test_two_requests_to_pay_by_one_token_begin_one_attempt(placer: OrderPlacer) -> None:
    order = placer.place_reserved(payment_method=PaymentMethod.STRIPE)
    paying = run_together(*[lambda: pay(order)] * 4)
    assert {each.payment_attempts for each in paying} == {1}
    assert tokens(order) == [(1, GOOD)]
    assert len(asked(order)) == 1


def test_of_two_requests_to_pay_by_different_tokens_one_is_refused(placer: OrderPlacer) -> None:
    order = placer.place_reserved(payment_method=PaymentMethod.STRIPE)
    outcomes = race(lambda: pay(order, "pm_1"), lambda: pay(order, "pm_2"))
    assert len(of_type(OrderDocument, outcomes)) == len(of_type(PaymentUnderWay, outcomes)) == 1
    assert len(tokens(order)) == len(asked(order)) == 1


@pytest.mark.parametrize("end", [cancel, expire])
def test_an_order_that_ends_while_its_payment_is_recorded_gives_the_money_back(
    order: OrderDocument, end: Callable[[OrderDocument], object]
) -> None:
    send_tokens(order)
    with locked_order(order.id, STAFF) as locked:
        recording = start_beside(lambda: record(taken(order)), until=a_transaction_waits_for_an_order)
        locked.cancel(CANCELLED_BY_CUSTOMER)
    result_of(recording)
    race(lambda: end(order), lambda: record(taken(order)))
    assert [message.amount for message in refunds_asked(order)] == [2000]
    give_back_all(order)
    assert now(order).payment_status == PaymentStatus.REFUNDED


@pytest.mark.parametrize("end", [cancel, expire], ids=["cancel", "expiry"])
@pytest.mark.parametrize("turn", range(5))
def test_an_order_that_ends_when_its_payment_succeeds_is_paid_or_gives_the_money_back(
    order: OrderDocument, end: Callable[[OrderDocument], object], turn: int
) -> None:
    send_tokens(order)
    race(lambda: end(order), lambda: record(taken(order)), lambda: record(taken(order)))
    is_cancelled = now(order).status == OrderStatus.CANCELLED
    assert [message.amount for message in refunds_asked(order)] == [2000] * is_cancelled
    assert events(order).count(EventType.PAYMENT) == 1
    assert now(order).payment_status == PaymentStatus.PAID
    # An order that was paid first does not expire, but can be cancelled.
    assert is_cancelled or end is expire
    assert tokens(order) == []


def test_a_token_that_is_claimed_while_the_order_is_cancelled_waits_for_its_answer(
    order: OrderDocument,
) -> None:
    with locked_order(order.id, STAFF) as locked:
        assert claim(order) == 1
        locked.cancel(CANCELLED_BY_CUSTOMER)
    assert tokens(order) == [(1, GOOD)]


@pytest.mark.parametrize("turn", range(5))
def test_a_token_is_claimed_or_called_off_and_never_both(order: OrderDocument, turn: int) -> None:
    claimed, _ = run_together(lambda: claim(order), lambda: bool(cancel(order)))
    assert PaymentToken.objects.filter(order_id=order.id).count() == claimed


def test_a_decline_for_good_and_a_cancel_at_once_cancel_the_order_once(order: OrderDocument) -> None:
    send_tokens(order)
    outcomes = race(lambda: record(declined(order, code="fraudulent")), lambda: cancel(order))
    assert not [each for each in outcomes if isinstance(each, Exception)] or of_type(
        TransitionNotAllowed, outcomes
    )
    assert events(order).count(EventType.CANCELLED) == 1
    assert now(order).payment_status == PaymentStatus.FAILED


def test_a_new_try_and_a_late_success_of_the_last_one_do_not_both_keep_money(order: OrderDocument) -> None:
    send_tokens(order)
    record(declined(order))
    outcomes = race(lambda: pay(order, "pm_2"), lambda: record(taken(order)))
    assert now(order).payment_reference == "pi_1"
    assert len(of_type(OrderNotPayable, outcomes)) in {0, 1}
    assert tokens(order) == []


def test_staff_mark_an_order_paid_or_its_token_is_charged(order: OrderDocument) -> None:
    outcomes = race(lambda: claim(order), lambda: mark_paid(order_id=order.id, origin=STAFF))
    if claimed := [each for each in outcomes if each == 1]:
        record(taken(order))
    current = now(order)
    assert current.payment_status == PaymentStatus.PAID
    assert (current.payment_reference is None) == bool(of_type(OrderDocument, outcomes))
    kept = len(claimed) - len(refunds_asked(order))
    assert kept == (current.payment_reference is not None)


def test_two_refunds_at_once_give_back_at_most_what_was_paid(order: OrderDocument) -> None:
    send_tokens(order)
    record(taken(order))
    outcomes = race(*[lambda: refund(order, "15.00")] * 3)
    assert len(of_type(OrderDocument, outcomes)) == 1
    assert len(of_type(RefundTooLarge, outcomes)) == 2
    assert Refund.objects.count() == 1


def test_the_same_refund_four_times_at_once_is_asked_for_once(order: OrderDocument) -> None:
    send_tokens(order)
    record(taken(order))
    run_together(*[lambda: refund(order, "5.00", "k")] * 4)
    assert [message.amount for message in refunds_asked(order)] == [500]


def test_a_refund_and_a_cancel_at_once_give_back_the_whole_sum_and_no_more(order: OrderDocument) -> None:
    send_tokens(order)
    record(taken(order))
    race(lambda: refund(order, "5.00"), lambda: cancel(order))
    assert sum(message.amount for message in refunds_asked(order)) == 2000


def test_the_same_answers_of_two_batches_at_once_count_once(placer: OrderPlacer) -> None:
    orders = [placer.place(payment_method=PaymentMethod.UPI, payment_token=GOOD) for _ in range(5)]
    answer(*(reserved(order) for order in orders))
    for order in orders:
        send_tokens(order)
    answers = [taken(order, payment_id=f"pi_{index}") for index, order in enumerate(orders)]
    run_together(lambda: record(*answers), lambda: record(*reversed(answers)))
    for order in orders:
        assert events(order).count(EventType.PAYMENT) == 1
        assert refunds_asked(order) == []
        assert now(order).status == OrderStatus.PROCESSING
