"""Paying an order by a token: stock first, then the charge, and every way in which it can end."""

import itertools
from collections.abc import Callable
from decimal import Decimal
from uuid import uuid4

import pytest
from msgspec import UNSET
from pytest_django import Settings

from orders_app import event_log
from orders_app.document import CancelCode, OrderDocument, PaymentFailure
from orders_app.exceptions import (
    OrderNotDeletable,
    OrderNotFound,
    OrderNotPayable,
    PaymentsUnavailable,
    PaymentUnderWay,
    TokenNotAccepted,
)
from orders_app.fold import rebuild_order
from orders_app.messages import PaymentRequested
from orders_app.models import GatewayEvent, Order, OrderEvent, Payment, PaymentToken
from orders_app.services.change_order import (
    CANCELLED_BY_CUSTOMER,
    cancel_order,
    change_status,
    delete_order,
    mark_paid,
)
from orders_app.services.expire_holds import expire_holds
from orders_app.services.pay_order import request_payment_look_up
from orders_app.services.payment_answers import PaymentAnswer
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus, StockStatus
from tests.orders_app.ordering import (
    STAFF,
    OrderPlacer,
    all_that_is_stored,
    answer,
    events,
    move,
    now,
    rejected,
    reserved,
    state,
)
from tests.orders_app.paying import (
    GATEWAY,
    GOOD,
    asked,
    declined,
    give_back_all,
    minor,
    pay,
    record,
    refunds_asked,
    send_tokens,
    taken,
    tokens,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_gateway")]
PENDING, PROCESSING, CANCELLED = OrderStatus.PENDING, OrderStatus.PROCESSING, OrderStatus.CANCELLED


def cancel(order: OrderDocument) -> OrderDocument:
    return cancel_order(order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)


def place(placer: OrderPlacer, token: str = GOOD) -> OrderDocument:
    """Places an order that is paid by a token."""
    return placer.place(payment_method=PaymentMethod.CREDIT_CARD, payment_token=token)


def charged(placer: OrderPlacer) -> OrderDocument:
    """Places an order whose token was sent to the gateway."""
    order = place(placer)
    answer(reserved(order))
    send_tokens(order)
    return now(order)


def paid(placer: OrderPlacer) -> OrderDocument:
    order = charged(placer)
    record(taken(order))
    return now(order)


def ended(order: OrderDocument) -> list[tuple[int, str, str, str]]:
    rows = Payment.objects.filter(order_id=order.id).order_by("attempt")
    return list(rows.values_list("attempt", "state", "payment_id", "code"))


def test_an_order_is_charged_when_its_stock_is_reserved_and_then_goes_on(placer: OrderPlacer) -> None:
    order = place(placer)
    assert (order.payment_attempts, order.payment_status) == (1, PaymentStatus.PENDING)
    assert tokens(order) == [(1, GOOD)]
    assert asked(order) == []
    answer(reserved(order))
    [message] = asked(order)
    assert isinstance(message, PaymentRequested)
    assert (message.order_id, message.order_number) == (str(order.id), order.order_number)
    assert (message.amount, message.currency, message.attempt) == (2000, "USD", 1)
    assert message.payment_id is UNSET
    assert now(order).status == PENDING
    record(taken(order))
    current = now(order)
    assert (current.status, current.payment_status) == (PROCESSING, PaymentStatus.PAID)
    assert (current.payment_reference, current.paid_at) == ("pi_1", current.updated_at)
    assert events(order) == [
        "order.confirmed",
        "order.payment.requested",
        "order.payment",
        "order.status.changed",
    ]
    assert tokens(order) == []
    assert ended(order) == [(1, "succeeded", "pi_1", "")]
    assert current == rebuild_order(event_log.history(order.id))


def test_orders_placed_together_with_and_without_tokens_keep_only_their_own(placer: OrderPlacer) -> None:
    with_token, without = place(placer, "pm_mine"), placer.place(PaymentMethod.STRIPE)
    assert tokens(with_token) == [(1, "pm_mine")]
    assert tokens(without) == []
    assert without.payment_attempts == 0


def test_a_token_is_in_no_event_and_no_row_but_its_own(placer: OrderPlacer) -> None:
    token = f"pm_{uuid4().hex}"
    order = place(placer, token)
    answer(reserved(order))
    record(declined(order))
    pay(order, token)
    [waiting] = PaymentToken.objects.all()
    assert token not in f"{waiting} {waiting!r}"
    stored = [*Order.objects.values(), *OrderEvent.objects.values(), *Payment.objects.values()]
    assert token not in str(stored)


def test_the_same_request_with_another_token_finds_the_order_and_its_first_token(placer: OrderPlacer) -> None:
    product = placer.catalogue.add()
    method = PaymentMethod.STRIPE
    first = placer.place_items((product, 1), key="k", payment_method=method, payment_token="pm_1")
    again = placer.place_items((product, 1), key="k", payment_method=method, payment_token="pm_2")
    assert again.replayed
    assert again.order == first.order
    assert tokens(first.order) == [(1, "pm_1")]


def test_a_token_for_an_order_paid_on_delivery_is_refused(placer: OrderPlacer) -> None:
    with pytest.raises(TokenNotAccepted):
        placer.place_items((placer.catalogue.add(), 1), payment_token=GOOD)
    assert not Order.objects.exists()


def test_an_order_with_nothing_to_pay_keeps_no_token(placer: OrderPlacer) -> None:
    product = placer.catalogue.add(price="0.00")
    order = placer.place_items((product, 1), payment_method=PaymentMethod.STRIPE, payment_token=GOOD).order
    assert tokens(order) == []
    answer(reserved(order))
    assert (now(order).status, now(order).payment_status) == (PROCESSING, PaymentStatus.PAID)
    with pytest.raises(OrderNotPayable):
        pay(order)


def test_without_a_payment_gateway_tokens_are_refused(placer: OrderPlacer, settings: Settings) -> None:
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(PaymentsUnavailable):
        place(placer)
    order = placer.place(PaymentMethod.STRIPE)
    with pytest.raises(PaymentsUnavailable):
        pay(order)


@pytest.mark.parametrize("stock_first", [True, False])
def test_an_order_without_a_token_waits_for_one(placer: OrderPlacer, stock_first: bool) -> None:
    order = placer.place(PaymentMethod.STRIPE)
    steps: list[Callable[[], object]] = [lambda: answer(reserved(order)), lambda: pay(order)]
    for step in steps if stock_first else reversed(steps):
        assert asked(order) == []
        step()
    assert [message.attempt for message in asked(order)] == [1]
    assert tokens(order) == [(1, GOOD)]
    record(taken(order))
    assert now(order).status == PROCESSING


def test_a_payment_is_begun_once_however_often_it_is_asked_for(placer: OrderPlacer) -> None:
    order = placer.place_reserved(payment_method=PaymentMethod.STRIPE)
    begun = pay(order)
    before = all_that_is_stored()
    assert pay(order) == begun
    with pytest.raises(PaymentUnderWay):
        pay(order, "pm_another")
    send_tokens(order)
    assert pay(order) == begun
    assert all_that_is_stored() == before


@pytest.mark.parametrize(
    "make",
    [
        lambda placer: placer.place(),
        paid,
        lambda placer: cancel(place(placer)),
        lambda placer: mark_paid(order_id=placer.place(PaymentMethod.UPI).id, origin=STAFF),
    ],
    ids=["cash on delivery", "paid", "cancelled", "marked paid"],
)
def test_an_order_that_cannot_be_paid_is_not_changed(
    placer: OrderPlacer, make: Callable[[OrderPlacer], OrderDocument]
) -> None:
    order = make(placer)
    before = all_that_is_stored()
    with pytest.raises(OrderNotPayable):
        pay(order)
    assert all_that_is_stored() == before


def test_an_order_that_does_not_exist_cannot_be_paid(placer: OrderPlacer) -> None:
    order = place(placer)
    Order.objects.all().delete()
    with pytest.raises(OrderNotFound):
        pay(order)


def test_a_decline_leaves_the_order_waiting_for_another_try(placer: OrderPlacer) -> None:
    order = charged(placer)
    record(declined(order))
    current = now(order)
    assert (current.status, current.payment_status) == (PENDING, PaymentStatus.FAILED)
    assert current.payment_failure == PaymentFailure("card_declined", "The bank declined the payment.")
    assert tokens(order) == []
    assert ended(order) == [(1, "failed", "pi_1", "card_declined")]
    again = pay(order, "pm_other")
    assert (again.payment_attempts, again.payment_status) == (2, PaymentStatus.PENDING)
    assert again.payment_failure is None
    assert events(order)[-3:] == ["order.payment", "order.updated", "order.payment.requested"]
    record(taken(order, 2, "pi_2"))
    assert (now(order).status, now(order).payment_reference) == (PROCESSING, "pi_2")
    assert now(order) == rebuild_order(event_log.history(order.id))


def test_the_third_decline_cancels_the_order_and_releases_its_stock(placer: OrderPlacer) -> None:
    order = charged(placer)
    for attempt in (1, 2, 3):
        if attempt > 1:
            pay(order)
        assert now(order).status == PENDING
        record(declined(order, attempt))
    current = now(order)
    assert current.status == CANCELLED
    assert current.cancel_reason is not None
    assert current.cancel_reason.code == CancelCode.PAYMENT_FAILED
    assert events(order)[-3:] == ["order.payment", "order.status.changed", "order.cancelled"]
    assert event_log.history(order.id)[-1].data.find(b'"releaseStock": true') > 0


@pytest.mark.parametrize("code", ["fraudulent", "stolen_card", "lost_card", "pickup_card"])
def test_a_decline_for_good_cancels_at_once(placer: OrderPlacer, code: str) -> None:
    order = charged(placer)
    record(declined(order, code=code))
    current = now(order)
    assert current.cancel_reason is not None
    assert (current.status, current.cancel_reason.code) == (CANCELLED, CancelCode.PAYMENT_FAILED)


def test_declines_never_cancel_an_order_that_staff_let_go_on(placer: OrderPlacer) -> None:
    order = charged(placer)
    move(order, PROCESSING)
    move(order, OrderStatus.SHIPPED)
    record(declined(order, code="fraudulent"))
    assert (now(order).status, now(order).payment_status) == (OrderStatus.SHIPPED, PaymentStatus.FAILED)
    assert now(pay(order)).payment_attempts == 2
    record(taken(order, 2, "pi_2"))
    assert (now(order).status, now(order).payment_status) == (OrderStatus.SHIPPED, PaymentStatus.PAID)


@pytest.mark.parametrize("end", ["cancelled", "expired", "rejected"])
def test_a_token_that_was_not_sent_goes_with_its_order(placer: OrderPlacer, end: str) -> None:
    order = place(placer)
    ends: dict[str, Callable[[], object]] = {
        "cancelled": lambda: cancel(order),
        "expired": lambda: expire_holds(order_ids=[order.id], origin=STAFF),
        "rejected": lambda: answer(rejected(order)),
    }
    ends[end]()
    assert now(order).status == CANCELLED
    assert tokens(order) == []
    assert asked(order) == []


@pytest.mark.parametrize("end", [cancel, lambda order: expire_holds(order_ids=[order.id], origin=STAFF)])
def test_a_payment_that_comes_after_the_end_goes_back_whole_and_once(
    placer: OrderPlacer, end: Callable[[OrderDocument], object]
) -> None:
    order = charged(placer)
    end(order)
    assert tokens(order) == [(1, GOOD)]
    record(taken(order), taken(order))
    record(taken(order))
    current = now(order)
    assert (current.status, current.payment_status) == (CANCELLED, PaymentStatus.PAID)
    assert current.refund_requested_amount == current.total_amount
    [refund] = refunds_asked(order)
    assert (refund.amount, refund.payment_id, refund.currency) == (2000, "pi_1", "USD")
    assert tokens(order) == []
    give_back_all(order)
    assert now(order).payment_status == PaymentStatus.REFUNDED
    assert now(order).refunded_amount == order.total_amount
    assert now(order) == rebuild_order(event_log.history(order.id))


def test_a_decline_that_comes_after_the_end_only_ends_the_attempt(placer: OrderPlacer) -> None:
    order = charged(placer)
    cancel(order)
    record(declined(order))
    assert state(order) == (CANCELLED, StockStatus.RESERVED)
    assert now(order).payment_status == PaymentStatus.FAILED
    assert tokens(order) == []


def test_a_cancel_after_the_payment_asks_the_whole_sum_back(placer: OrderPlacer) -> None:
    order = paid(placer)
    cancel(order)
    assert events(order)[-3:] == ["order.status.changed", "order.cancelled", "order.refund.requested"]
    [refund] = refunds_asked(order)
    assert (refund.amount, refund.payment_id) == (2000, "pi_1")
    assert refund.refund == now(order).version


@pytest.mark.parametrize("kinds", list(itertools.permutations([1, 2, 3])))
def test_of_several_payments_the_first_is_kept_and_the_others_go_back(
    placer: OrderPlacer, kinds: tuple[int, ...]
) -> None:
    order = charged(placer)
    for attempt in (1, 2):
        record(declined(order, attempt))
        pay(order)
    send_tokens(order)
    for attempt in kinds * 2:
        record(taken(order, attempt, f"pi_late_{attempt}"))
    current = now(order)
    assert (current.status, current.payment_reference) == (PROCESSING, f"pi_late_{kinds[0]}")
    assert current.refund_requested_amount == 0
    assert [(refund.payment_id, refund.amount) for refund in refunds_asked(order)] == [
        (f"pi_late_{attempt}", 2000) for attempt in kinds[1:]
    ]
    assert tokens(order) == []
    give_back_all(order)
    assert (now(order).payment_status, now(order).refunded_amount) == (PaymentStatus.PAID, Decimal(0))


def test_two_payments_of_one_attempt_are_not_both_kept(placer: OrderPlacer) -> None:
    order = charged(placer)
    record(taken(order, payment_id="pi_a"), taken(order, payment_id="pi_b"), taken(order, payment_id="pi_a"))
    assert now(order).payment_reference == "pi_a"
    assert [refund.payment_id for refund in refunds_asked(order)] == ["pi_b"]
    assert ended(order) == [(1, "succeeded", "pi_a", "")]


def test_a_success_after_the_decline_of_the_same_attempt_counts(placer: OrderPlacer) -> None:
    order = charged(placer)
    record(declined(order), taken(order))
    assert (now(order).status, now(order).payment_status) == (PROCESSING, PaymentStatus.PAID)
    assert now(order).payment_failure is None
    assert ended(order) == [(1, "succeeded", "pi_1", "")]


def test_a_success_of_an_earlier_attempt_calls_off_the_one_that_waits(placer: OrderPlacer) -> None:
    order = charged(placer)
    record(declined(order))
    pay(order)
    record(taken(order, 1, "pi_1"))
    assert now(order).payment_reference == "pi_1"
    assert tokens(order) == []


def test_a_payment_that_staff_have_recorded_otherwise_goes_back(placer: OrderPlacer) -> None:
    order = charged(placer)
    record(declined(order))
    mark_paid(order_id=order.id, origin=STAFF)
    record(taken(order, 1, "pi_late"))
    assert now(order).payment_reference is None
    assert [refund.payment_id for refund in refunds_asked(order)] == ["pi_late"]


def test_staff_cannot_mark_an_order_paid_while_its_token_is_charged(placer: OrderPlacer) -> None:
    order = place(placer)
    send_tokens(order)
    with pytest.raises(PaymentUnderWay):
        mark_paid(order_id=order.id, origin=STAFF)
    PaymentToken.objects.update(sent_at=None)
    assert mark_paid(order_id=order.id, origin=STAFF).payment_status == PaymentStatus.PAID
    assert tokens(order) == []


CONTRADICTIONS: dict[str, Callable[[OrderDocument], PaymentAnswer]] = {
    "more than the total": lambda order: taken(order, amount=minor(order) + 1),
    "another currency": lambda order: taken(order, currency="EUR"),
    "an attempt never made": lambda order: taken(order, 2),
    "attempt nought": lambda order: taken(order, 0),
    "a decline of an attempt never made": lambda order: declined(order, 70_000),
    "a decline of another amount": lambda order: declined(order, amount=1),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_an_answer_that_contradicts_its_order_changes_nothing_and_is_kept_once(
    placer: OrderPlacer, name: str
) -> None:
    order = charged(placer)
    before = all_that_is_stored()
    record(CONTRADICTIONS[name](order), CONTRADICTIONS[name](order))
    record(CONTRADICTIONS[name](order))
    assert all_that_is_stored() == before
    assert tokens(order) == [(1, GOOD)]
    [kept] = GatewayEvent.objects.all()
    assert (kept.kind, kept.order_id, kept.order_number) == ("contradiction", order.id, order.order_number)


def test_a_decline_of_what_was_paid_changes_nothing_and_is_kept(placer: OrderPlacer) -> None:
    order = paid(placer)
    before = all_that_is_stored()
    record(declined(order, code="fraudulent"))
    assert all_that_is_stored() == before
    assert GatewayEvent.objects.get().payment_id == "pi_1"


def test_answers_about_unknown_orders_change_nothing(placer: OrderPlacer) -> None:
    order = charged(placer)
    Order.objects.all().delete()
    before = all_that_is_stored()
    record(taken(order), declined(order))
    assert all_that_is_stored() == before
    assert not GatewayEvent.objects.exists()


def test_a_payment_is_looked_up_while_its_attempt_has_not_ended(placer: OrderPlacer) -> None:
    order = charged(placer)

    def look_up(attempt: int = 1, *, succeeded: bool = False) -> bool:
        return request_payment_look_up(
            order_id=order.id, attempt=attempt, payment_id="pi_1", origin=GATEWAY, succeeded=succeeded
        )

    assert look_up()
    message = asked(order)[-1]
    assert isinstance(message, PaymentRequested)
    assert (message.attempt, message.payment_id) == (1, "pi_1")
    assert not look_up(2)
    record(declined(order))
    assert not look_up()
    assert look_up(succeeded=True)
    record(taken(order))
    assert not look_up(succeeded=True)
    order = placer.place()
    assert not look_up(0)


def test_money_under_way_keeps_an_order_from_being_deleted(placer: OrderPlacer) -> None:
    order = charged(placer)
    cancel(order)
    with pytest.raises(OrderNotDeletable, match="a payment is under way"):
        delete_order(order_id=order.id, origin=STAFF)
    record(taken(order))
    with pytest.raises(OrderNotDeletable, match="a refund is under way"):
        delete_order(order_id=order.id, origin=STAFF)
    give_back_all(order)
    delete_order(order_id=order.id, origin=STAFF)
    assert not Order.objects.exists()


def test_shipping_tells_the_tracking_number(placer: OrderPlacer) -> None:
    order = placer.place_and_move(PROCESSING)
    Order.objects.update(tracking_number="T-1")
    change_status(order_id=order.id, new_status=OrderStatus.SHIPPED, origin=STAFF, override_reason="Test.")
    assert b'"trackingNumber": "T-1"' in event_log.history(order.id)[-1].data
