"""Requests of orders, answered from the sandbox's books."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from django.conf import settings
from django.utils import timezone

from devtools.stack.server import Server
from orders_app.models import PaymentToken, Refund
from orders_app.payments import answering
from orders_app.payments.answering import answer_requests
from orders_app.payments.calls import AnsweredBefore, Contradicted
from orders_app.payments.gateway import AnswerMissing, GatewayUnavailable
from orders_app.payments.messages import PaymentFailed, PaymentSucceeded
from orders_app.payments.stripe_gateway import StripeGateway
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER, cancel_order
from orders_app.services.refund_order import refund_order
from orders_app.state_machine import OrderStatus, PaymentStatus
from tests.concurrency import run_beside, run_together
from tests.orders_app.ordering import STAFF, OrderPlacer, now
from tests.orders_app.paying import refunds_asked
from tests.orders_app.payments.charging import (
    charge_request,
    give_back_by_hand,
    outcome_of,
    payments_for,
    place_with_token,
    returned_for,
    settle,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_sandbox")]


def test_an_order_is_charged_once_however_often_it_asks(placer: OrderPlacer) -> None:
    order = place_with_token(placer)
    request = charge_request(order)
    [first, *others] = [*answer_requests([request] * 3), outcome_of(request)]
    assert isinstance(first, PaymentSucceeded)
    assert (first.amount, first.currency, first.attempt) == (1250, "USD", 1)
    assert {each.payment_id for each in others if isinstance(each, PaymentSucceeded)} == {first.payment_id}
    [payment] = payments_for(order)
    assert payment.id == first.payment_id
    paid = settle(order)
    assert (paid.status, paid.payment_status) == (OrderStatus.PROCESSING, PaymentStatus.PAID)
    # Its token is gone: nothing more is asked of the gateway.
    assert outcome_of(request) == AnsweredBefore()


def test_a_decline_is_answered_with_its_code_and_words(placer: OrderPlacer) -> None:
    order = place_with_token(placer, "pm_card_chargeDeclinedInsufficientFunds")
    outcome = outcome_of(charge_request(order))
    assert isinstance(outcome, PaymentFailed)
    assert (outcome.code, outcome.detail) == ("insufficient_funds", "Your card has insufficient funds.")
    assert settle(order).payment_status == PaymentStatus.FAILED


def test_a_token_that_was_called_off_before_it_was_sent_is_not_charged(placer: OrderPlacer) -> None:
    order = place_with_token(placer)
    cancel_order(order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)
    assert outcome_of(charge_request(order)) is None
    assert payments_for(order) == []


def test_a_charge_and_a_cancellation_at_once_keep_no_money(placer: OrderPlacer) -> None:
    for _ in range(5):
        order = place_with_token(placer)
        run_together(
            lambda order=order: settle(order),  # type: ignore[misc]
            lambda order=order: cancel_order(  # type: ignore[misc]
                order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF
            ),
        )
        settle(order)
        assert returned_for(order) == sum(payment.amount for payment in payments_for(order))
        assert not PaymentToken.objects.filter(order_id=order.id).exists()


def test_a_token_is_marked_as_sent_before_the_gateway_hears_of_it(
    placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = place_with_token(placer)
    seen: list[Any] = []
    charge = StripeGateway.charge

    def noted(self: StripeGateway, *arguments: Any) -> Any:
        seen.append(run_beside(lambda: PaymentToken.objects.get(order_id=order.id).sent_at))
        return charge(self, *arguments)

    monkeypatch.setattr(StripeGateway, "charge", noted)
    outcome_of(charge_request(order))
    assert seen[0] is not None


@pytest.mark.parametrize("change", [{"amount": 1}, {"currency": "EUR"}])
def test_a_request_for_another_amount_than_the_order_asks_for_takes_nothing(
    placer: OrderPlacer, change: dict[str, Any]
) -> None:
    order = place_with_token(placer)
    forged = msgspec.structs.replace(charge_request(order), **change)
    assert isinstance(outcome_of(forged), Contradicted)
    assert PaymentToken.objects.get(order_id=order.id).sent_at is None
    assert payments_for(order) == []
    beside = answer_requests([forged, charge_request(order), forged])
    assert [type(outcome) for outcome in beside] == [Contradicted, PaymentSucceeded, Contradicted]
    assert settle(order).payment_status == PaymentStatus.PAID


def test_requests_about_orders_of_others_are_left_alone(placer: OrderPlacer) -> None:
    request = charge_request(place_with_token(placer))
    for stranger in (str(uuid4()), "external-1", "\x00", str(uuid4()).upper()):
        assert outcome_of(msgspec.structs.replace(request, order_id=stranger)) is None
    assert outcome_of(msgspec.structs.replace(request, attempt=2)) is None


def test_a_payment_that_a_webhook_told_of_is_looked_up(placer: OrderPlacer) -> None:
    order, other = place_with_token(placer), place_with_token(placer)
    request = charge_request(order)
    first = outcome_of(request)
    assert isinstance(first, PaymentSucceeded)
    look_up = msgspec.structs.replace(request, payment_id=first.payment_id)
    found = outcome_of(look_up)
    assert isinstance(found, PaymentSucceeded)
    assert found.payment_id == first.payment_id
    unknown = msgspec.structs.replace(look_up, payment_id="pi_of_nobody")
    foreign = msgspec.structs.replace(look_up, order_id=str(other.id))
    assert [type(each) for each in answer_requests([unknown, foreign])] == [Contradicted, Contradicted]
    assert payments_for(other) == []


def test_a_payment_whose_end_is_not_known_yet_is_not_answered(placer: OrderPlacer) -> None:
    order = place_with_token(placer, "pm_sandbox_webhook_only")
    assert outcome_of(charge_request(order)) is None
    assert PaymentToken.objects.filter(order_id=order.id, sent_at__isnull=False).exists()


def test_an_old_token_is_not_charged_a_second_time_when_the_gateway_has_forgotten_its_key(
    placer: OrderPlacer,
) -> None:
    order = place_with_token(placer)
    outcome_of(charge_request(order))
    PaymentToken.objects.filter(order_id=order.id).update(
        token="pm_card_chargeDeclined", sent_at=timezone.now() - timedelta(hours=25)
    )
    assert isinstance(outcome_of(charge_request(order)), PaymentSucceeded)
    assert len(payments_for(order)) == 1


def test_money_goes_back_once_and_only_what_the_order_asked_for(placer: OrderPlacer) -> None:
    order = settle(place_with_token(placer))
    refund_order(order_id=order.id, amount=None, reason="Broken.", idempotency_key="", origin=STAFF)
    [request] = refunds_asked(order)
    forged = [
        msgspec.structs.replace(request, refund=request.refund + 1),
        msgspec.structs.replace(request, amount=request.amount - 1),
        msgspec.structs.replace(request, payment_id="pi_of_another"),
        msgspec.structs.replace(request, order_id=str(uuid4())),
    ]
    assert {type(outcome) for outcome in answer_requests(forged)} == {Contradicted}
    assert returned_for(order) == 0
    answer_requests([request, request])
    assert returned_for(order) == 1250
    refunded = settle(order)
    assert (refunded.payment_status, str(refunded.refunded_amount)) == (PaymentStatus.REFUNDED, "12.50")
    assert outcome_of(request) == AnsweredBefore()


def test_a_refund_that_the_gateway_refuses_is_recorded_and_can_be_asked_for_again(
    placer: OrderPlacer,
) -> None:
    order = settle(place_with_token(placer))
    [payment] = payments_for(order)
    give_back_by_hand(payment)
    refund_order(order_id=order.id, amount=None, reason="Broken.", idempotency_key="", origin=STAFF)
    assert outcome_of(refunds_asked(order)[0]) is None
    refund = Refund.objects.get(order_id=order.id)
    assert (refund.state, refund.code) == (Refund.State.FAILED, "charge_already_refunded")
    assert now(order).refund_requested_amount == 0


def test_a_payment_in_trouble_fails_alone_while_the_gateway_answers(
    placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch, payment_sandbox: str
) -> None:
    hasty = StripeGateway(key=settings.STRIPE_SECRET_KEY, address=payment_sandbox, answer_seconds=0.3)
    monkeypatch.setattr(answering, "gateway", lambda: hasty)
    slow = place_with_token(placer, "pm_sandbox_slow_2")
    good = place_with_token(placer)
    outcomes = answer_requests([charge_request(slow), charge_request(good)])
    assert [type(outcome) for outcome in outcomes] == [AnswerMissing, PaymentSucceeded]


def test_a_gateway_that_answers_nobody_fails_the_whole_batch_and_loses_nothing(
    placer: OrderPlacer, sandbox_server: Server
) -> None:
    order = place_with_token(placer)
    request = charge_request(order)
    sandbox_server.stop()
    try:
        with pytest.raises(GatewayUnavailable):
            answer_requests([request])
    finally:
        sandbox_server.start()
    assert settle(order).payment_status == PaymentStatus.PAID
    assert len(payments_for(order)) == 1
