"""The gateway, through the stripe library, against the sandbox."""

import logging
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from django.conf import settings
from prometheus_client import REGISTRY

from devtools.stack.server import Server
from orders_app.payments import stripe_gateway
from orders_app.payments.gateway import (
    AnswerMissing,
    Charge,
    GatewayPayment,
    GatewayUnavailable,
    PaymentState,
    RefundOrder,
    RefundRefused,
)
from orders_app.payments.stripe_gateway import StripeGateway
from tests.concurrency import run_together

FORGOTTEN = timedelta(hours=25)


@pytest.fixture
def gateway(payment_sandbox: str) -> StripeGateway:
    return StripeGateway(key=settings.STRIPE_SECRET_KEY, address=payment_sandbox)


def new_charge(token: str = "pm_card_visa", **fields: Any) -> Charge:
    charge = Charge(
        order_id=str(uuid4()),
        order_number="SB-7K3M-Q9ZT",
        attempt=1,
        amount=1250,
        currency="USD",
        token=token,
        sent_at=datetime.now(UTC),
    )
    return msgspec.structs.replace(charge, **fields)


def refund_of(payment: GatewayPayment, amount: int, **fields: Any) -> RefundOrder:
    refund = RefundOrder(
        key=f"{payment.order_id}:refund:7",
        payment_id=payment.id,
        amount=amount,
        currency=payment.currency,
        order_id=payment.order_id,
        order_number="SB-7K3M-Q9ZT",
        number="7",
        sent_at=datetime.now(UTC),
    )
    return msgspec.structs.replace(refund, **fields)


def payments_for(gateway: StripeGateway, charge: Charge) -> list[GatewayPayment]:
    """What the books have for this order."""
    return [payment for payment in gateway.payments() if payment.order_id == charge.order_id]


@pytest.mark.parametrize(("currency", "amount"), [("USD", 1250), ("JPY", 1250), ("KWD", 1250), ("ISK", 125)])
def test_a_charge_takes_the_amount_in_the_minor_units_of_its_currency(
    gateway: StripeGateway, currency: str, amount: int
) -> None:
    charge = new_charge(currency=currency, amount=amount)
    payment = gateway.charge(charge)
    assert payment.state == PaymentState.SUCCEEDED
    assert (payment.amount, payment.currency) == (amount, currency)
    assert (payment.order_id, payment.attempt) == (charge.order_id, "1")
    assert gateway.payment(payment.id) == payment


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedFraudulent", "fraudulent"),
        ("pm_card_chargeDeclinedStolenCard", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_authenticationRequired", "authentication_required"),
    ],
)
def test_a_decline_has_a_code_for_programs_and_words_for_the_customer(
    gateway: StripeGateway, token: str, code: str
) -> None:
    payment = gateway.charge(new_charge(token))
    assert payment.state == PaymentState.FAILED
    assert payment.failure is not None
    assert payment.failure.code == code
    assert payment.failure.detail.startswith("Your card")
    assert gateway.payment(payment.id) == payment


def test_a_token_that_the_gateway_does_not_know_ends_the_attempt(gateway: StripeGateway) -> None:
    payment = gateway.charge(new_charge("pm_nobody_has_this"))
    assert payment.state == PaymentState.FAILED
    assert payment.failure is not None
    assert payment.failure.detail == stripe_gateway.INVALID_METHOD


def test_a_charge_that_is_asked_for_again_is_made_once(gateway: StripeGateway) -> None:
    charge = new_charge()
    answers = run_together(*[partial(gateway.charge, charge)] * 8)
    assert payments_for(gateway, charge) == [gateway.charge(charge)]
    assert len({answer.id for answer in answers}) == 1


@pytest.mark.parametrize("token", ["pm_sandbox_lost_answer", "pm_sandbox_unavailable_2"])
def test_an_answer_that_is_lost_or_refused_at_first_is_asked_for_again_at_once(
    gateway: StripeGateway, token: str
) -> None:
    charge = new_charge(token)
    payment = gateway.charge(charge)
    assert payment.state == PaymentState.SUCCEEDED
    assert payments_for(gateway, charge) == [payment]


def test_a_payment_that_takes_long_is_given_up_and_found_later_by_its_key(payment_sandbox: str) -> None:
    hasty = StripeGateway(key=settings.STRIPE_SECRET_KEY, address=payment_sandbox, answer_seconds=0.2)
    patient = StripeGateway(key=settings.STRIPE_SECRET_KEY, address=payment_sandbox)
    charge = new_charge("pm_sandbox_slow_1")
    with pytest.raises(AnswerMissing):
        hasty.charge(charge)
    # Meanwhile the gateway says that it is at it.
    assert patient.charge(charge).state == PaymentState.SUCCEEDED
    assert len(payments_for(patient, charge)) == 1


def test_a_payment_whose_end_comes_later_is_processing(gateway: StripeGateway) -> None:
    assert gateway.charge(new_charge("pm_sandbox_webhook_only")).state == PaymentState.PROCESSING


def test_a_charge_whose_key_the_gateway_may_have_forgotten_is_found_by_its_metadata(
    gateway: StripeGateway,
) -> None:
    charge = new_charge()
    payment = gateway.charge(charge)
    # With this token another charge would fail.
    later = msgspec.structs.replace(
        charge, token="pm_card_chargeDeclined", sent_at=charge.sent_at - FORGOTTEN
    )
    assert gateway.charge(later) == payment
    assert gateway.charge(new_charge(sent_at=charge.sent_at - FORGOTTEN)).state == PaymentState.SUCCEEDED


def test_a_charge_that_was_asked_for_in_another_form_is_found_by_its_metadata(gateway: StripeGateway) -> None:
    charge = new_charge()
    payment = gateway.charge(charge)
    assert gateway.charge(msgspec.structs.replace(charge, token="pm_card_mastercard")) == payment


def test_money_goes_back_once_for_each_refund_and_never_more_than_was_taken(gateway: StripeGateway) -> None:
    payment = gateway.charge(new_charge())
    refund = gateway.refund(refund_of(payment, 250))
    assert gateway.refund(refund_of(payment, 250)) == refund
    forgotten = datetime.now(UTC) - FORGOTTEN
    assert gateway.refund(refund_of(payment, 250, key="other", sent_at=forgotten)) == refund
    assert gateway.refund(refund_of(payment, 1000)) == refund  # the same key, in another form
    gateway.refund(refund_of(payment, 1000, key="second", number="8"))
    assert sorted(each.amount for each in gateway.refunds(payment.id)) == [250, 1000]
    with pytest.raises(RefundRefused, match="charge_already_refunded"):
        gateway.refund(refund_of(payment, 1, key="third", number="9"))


def test_the_books_are_read_page_by_page(gateway: StripeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [gateway.charge(new_charge()) for _ in range(5)]
    monkeypatch.setattr(stripe_gateway, "_PAGE", 2)
    newest = [payment for payment, _ in zip(gateway.payments(), made, strict=False)]
    assert newest == made[::-1]
    assert gateway.payment("pi_nobody_has_this") is None


def test_a_gateway_that_answers_nobody_is_told_from_one_that_refuses_the_key(
    gateway: StripeGateway, payment_sandbox: str, sandbox_server: Server
) -> None:
    stranger = StripeGateway(key="sk_test_of_somebody_else", address=payment_sandbox)
    for call in (stranger.ping, partial(stranger.charge, new_charge())):
        with pytest.raises(GatewayUnavailable, match="it refuses STRIPE_SECRET_KEY"):
            call()
    sandbox_server.stop()
    try:
        with pytest.raises(AnswerMissing):
            gateway.charge(new_charge())
        with pytest.raises(GatewayUnavailable):
            gateway.ping()
    finally:
        sandbox_server.start()


def test_a_token_is_in_no_log_error_or_printed_value(
    gateway: StripeGateway, payment_sandbox: str, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    token = "pm_nobody_has_this_one"
    with caplog.at_level(logging.INFO):
        payment = gateway.charge(new_charge(token))
        with pytest.raises(AnswerMissing) as missing:
            StripeGateway(key="sk", address="http://127.0.0.1:9").charge(new_charge(token))
    printed = capfd.readouterr()
    error = missing.value
    told = [repr(payment), repr(new_charge(token)), caplog.text, printed.out, printed.err, repr(error)]
    assert error.__cause__ is None
    assert not [text for text in told if token in text]


def test_requests_are_timed_by_what_is_asked_for(gateway: StripeGateway) -> None:
    def timed(operation: str) -> float:
        name = "stockbridge_gateway_request_seconds_count"
        return REGISTRY.get_sample_value(name, {"operation": operation}) or 0

    before = {operation: timed(operation) for operation in ("charge", "refund", "look_up", "list")}
    payment = gateway.charge(new_charge())
    gateway.refund(refund_of(payment, 100))
    gateway.payment(payment.id)
    gateway.ping()
    assert {operation: timed(operation) - before[operation] for operation in before} == dict.fromkeys(
        before, 1
    )
