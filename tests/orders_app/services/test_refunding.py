"""Giving money back: in part or all of it, once for each request, and never more than was paid."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from orders_app import event_log
from orders_app.document import OrderDocument, PaymentFailure
from orders_app.exceptions import (
    AmountNotPossible,
    IdempotencyKeyReused,
    OrderNotDeletable,
    OrderNotFound,
    OrderNotRefundable,
    RefundTooLarge,
)
from orders_app.fold import rebuild_order
from orders_app.models import GatewayEvent, Order, Refund
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER, cancel_order, delete_order, mark_paid
from orders_app.services.payment_answers import MoneyReturned
from orders_app.services.record_payment_answers import record_refund_failure
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus
from tests.orders_app.ordering import STAFF, OrderPlacer, all_that_is_stored, events, now
from tests.orders_app.paying import (
    GATEWAY,
    GOOD,
    give_back_all,
    record,
    refund,
    refunds_asked,
    returned,
    send_tokens,
    taken,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_gateway")]
FAILURE = PaymentFailure("expired_or_canceled_card", "The card has expired.")


@pytest.fixture
def paid(placer: OrderPlacer) -> OrderDocument:
    """An order of 20.00 USD that is paid."""
    order = placer.place_reserved(payment_method=PaymentMethod.STRIPE, payment_token=GOOD)
    send_tokens(order)
    record(taken(order))
    return now(order)


def fail(order: OrderDocument, version: int, refund_id: str = "") -> None:
    record_refund_failure(
        order_id=order.id, refund=version, failure=FAILURE, origin=GATEWAY, refund_id=refund_id
    )


def states(order: OrderDocument) -> list[tuple[Decimal, str]]:
    return list(Refund.objects.filter(order_id=order.id).values_list("amount", "state"))


def test_a_part_is_given_back_and_the_order_goes_on(paid: OrderDocument) -> None:
    asked = refund(paid, "5.5")
    assert (str(asked.refund_requested_amount), str(asked.refunded_amount)) == ("5.50", "0.00")
    assert asked.status == OrderStatus.PROCESSING
    [message] = refunds_asked(paid)
    assert (message.amount, message.payment_id, message.reason) == (550, "pi_1", "Broken.")
    assert (message.refund, message.attempt) == (asked.version, 1)
    record(returned(paid, message))
    current = now(paid)
    assert (str(current.refunded_amount), current.payment_status) == ("5.50", PaymentStatus.PAID)
    assert events(paid)[-2:] == ["order.refund.requested", "order.refunded"]
    row = Refund.objects.get()
    assert (row.state, row.refund_id, row.actor, row.ended_at) == (
        "succeeded",
        f"re_{message.refund}",
        "staff:1",
        current.updated_at,
    )
    assert current == rebuild_order(event_log.history(paid.id))


def test_once_all_has_gone_back_the_payment_counts_as_refunded(paid: OrderDocument) -> None:
    refund(paid, "5.50")
    refund(paid)
    assert [message.amount for message in refunds_asked(paid)] == [550, 1450]
    give_back_all(paid)
    give_back_all(paid)
    current = now(paid)
    assert (str(current.refunded_amount), current.payment_status) == ("20.00", PaymentStatus.REFUNDED)
    assert current.status == OrderStatus.PROCESSING


def test_more_than_the_rest_is_refused_with_the_rest(paid: OrderDocument) -> None:
    refund(paid, "15.00")
    before = all_that_is_stored()
    with pytest.raises(RefundTooLarge) as refusal:
        refund(paid, "5.01")
    assert refusal.value.facts == {"refundableAmount": "5.00"}
    assert all_that_is_stored() == before
    refund(paid, "5.00")
    with pytest.raises(OrderNotRefundable):
        refund(paid)


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "5.005", "NaN", "Infinity", "-Infinity", "1e400"])
def test_an_amount_that_cannot_be_is_refused(paid: OrderDocument, amount: str) -> None:
    before = all_that_is_stored()
    with pytest.raises((AmountNotPossible, RefundTooLarge)):
        refund(paid, amount)
    assert all_that_is_stored() == before


@pytest.mark.parametrize(
    "make",
    [
        lambda placer: placer.place(),
        lambda placer: placer.place(PaymentMethod.STRIPE),
        lambda placer: mark_paid(order_id=placer.place(PaymentMethod.UPI).id, origin=STAFF),
    ],
    ids=["cash on delivery", "not paid", "paid by other means"],
)
def test_an_order_without_a_payment_has_nothing_to_give_back(
    placer: OrderPlacer, make: Callable[[OrderPlacer], OrderDocument]
) -> None:
    order = make(placer)
    with pytest.raises(OrderNotRefundable):
        refund(order)
    Order.objects.all().delete()
    with pytest.raises(OrderNotFound):
        refund(order)


@pytest.mark.parametrize("amount", ["5.50", None])
def test_the_same_key_asks_once(paid: OrderDocument, amount: str | None) -> None:
    first = refund(paid, amount, key="k")
    assert refund(paid, amount, key="k") == first
    give_back_all(paid)
    assert refund(paid, amount, key="k") == now(paid)
    assert len(refunds_asked(paid)) == 1


@pytest.mark.parametrize("other", [{"amount": "5.51"}, {"reason": "Lost."}])
def test_the_same_key_for_something_else_is_refused(paid: OrderDocument, other: dict[str, str]) -> None:
    refund(paid, "5.50", key="k")
    with pytest.raises(IdempotencyKeyReused, match="another refund, with another amount or reason"):
        refund(paid, **{"amount": "5.50", "key": "k"} | other)


def test_a_cancel_asks_back_what_was_not_asked_back_yet(paid: OrderDocument) -> None:
    refund(paid, "5.50")
    cancel_order(order_id=paid.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)
    assert [message.amount for message in refunds_asked(paid)] == [550, 1450]


def test_a_cancel_of_what_went_back_already_asks_for_nothing(paid: OrderDocument) -> None:
    refund(paid)
    give_back_all(paid)
    cancel_order(order_id=paid.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)
    assert len(refunds_asked(paid)) == 1


def test_a_refused_refund_can_be_asked_for_again(paid: OrderDocument) -> None:
    version = refund(paid).version
    fail(paid, version)
    before = all_that_is_stored()
    fail(paid, version)
    assert all_that_is_stored() == before
    assert (now(paid).refund_requested_amount, states(paid)) == (Decimal(0), [(Decimal("20.00"), "failed")])
    assert events(paid)[-1] == "order.refund.failed"
    row = Refund.objects.get()
    assert (row.code, row.detail) == (FAILURE.code, FAILURE.detail)
    refund(paid)
    assert [message.amount for message in refunds_asked(paid)] == [2000, 2000]
    assert now(paid) == rebuild_order(event_log.history(paid.id))


def test_a_refund_that_fails_after_it_succeeded_is_taken_off_again(paid: OrderDocument) -> None:
    version = refund(paid).version
    answers = give_back_all(paid)
    fail(paid, version, f"re_{version}")
    current = now(paid)
    assert (current.refunded_amount, current.payment_status) == (Decimal(0), PaymentStatus.PAID)
    assert current.refundable_amount == paid.total_amount
    before = all_that_is_stored()
    record(*answers)
    assert all_that_is_stored() == before


def test_a_failure_that_is_known_before_the_success_counts(paid: OrderDocument) -> None:
    version = refund(paid).version
    fail(paid, version, f"re_{version}")
    give_back_all(paid)
    assert states(paid) == [(Decimal("20.00"), "failed")]
    assert now(paid).refunded_amount == 0


@pytest.mark.parametrize("refund_id", ["re_another", ""])
def test_the_failure_of_another_try_takes_no_refund_off_that_succeeded(
    paid: OrderDocument, refund_id: str
) -> None:
    version = refund(paid).version
    give_back_all(paid)
    before = all_that_is_stored()
    fail(paid, version, refund_id)
    assert all_that_is_stored() == before


def test_money_that_went_back_after_all_counts(paid: OrderDocument) -> None:
    version = refund(paid).version
    fail(paid, version)
    give_back_all(paid)
    assert now(paid).refunded_amount == now(paid).refund_requested_amount == 20
    assert now(paid).payment_status == PaymentStatus.REFUNDED


def test_a_cancelled_order_whose_money_is_kept_cannot_be_deleted(paid: OrderDocument) -> None:
    cancel_order(order_id=paid.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)
    [message] = refunds_asked(paid)
    fail(paid, message.refund)
    with pytest.raises(OrderNotDeletable, match="its payment has not gone back"):
        delete_order(order_id=paid.id, origin=STAFF)


UNTRUE: dict[str, Callable[[MoneyReturned], dict[str, object]]] = {
    "a refund never asked for": lambda true: {"refund": true.refund + 1},
    "another amount": lambda true: {"amount": true.amount + 1},
    "another currency": lambda true: {"currency": "EUR"},
    "another payment": lambda true: {"payment_id": "pi_9"},
}


@pytest.mark.parametrize("name", UNTRUE)
def test_an_answer_about_a_refund_that_cannot_be_changes_nothing_and_is_kept(
    paid: OrderDocument, name: str
) -> None:
    refund(paid, "5.50")
    [message] = refunds_asked(paid)
    true = returned(paid, message)
    before = all_that_is_stored()
    fields = {
        "order_id": true.order_id,
        "refund": true.refund,
        "amount": true.amount,
        "currency": true.currency,
        "payment_id": true.payment_id,
        "refund_id": true.refund_id,
    }
    untrue = MoneyReturned(**fields | UNTRUE[name](true))  # type: ignore[arg-type]
    record(untrue, untrue)
    assert all_that_is_stored() == before
    assert GatewayEvent.objects.get().kind == "contradiction"
    assert states(paid) == [(Decimal("5.50"), "requested")]
