"""Refunds at the sandbox, and its webhooks: signed, late, some of them twice, until they are taken."""

import uuid

import pytest
import stripe

from devtools.driver.shop import eventually
from tests.devtools.payment_sandbox.conftest import Receiver, Sandbox, event_about
from tests.devtools.payment_sandbox.test_payments import pay


def test_refunds_give_back_parts_and_never_more_than_was_paid(client: stripe.StripeClient) -> None:
    paid = pay(client, "pm_card_visa")
    part = client.v1.refunds.create({"payment_intent": paid.id, "amount": 500, "metadata": {"order_id": "7"}})
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        client.v1.refunds.create({"payment_intent": paid.id, "amount": 1500})
    rest = client.v1.refunds.create({"payment_intent": paid.id})
    assert (part.amount, rest.amount, rest.status) == (500, 1499, "succeeded")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": paid.id})
    assert refused.value.code == "charge_already_refunded"
    listed = client.v1.refunds.list({"payment_intent": paid.id}).data
    assert [refund.id for refund in listed] == [rest.id, part.id]
    kept = client.v1.refunds.retrieve(part.id).to_dict()
    assert kept["metadata"] == {"order_id": "7"}


def test_a_refund_may_name_the_charge(client: stripe.StripeClient) -> None:
    paid, other = pay(client, "pm_card_visa"), pay(client, "pm_card_visa")
    charge = str(paid.latest_charge)
    refund = client.v1.refunds.create({"charge": charge, "amount": 500})
    assert (refund.payment_intent, refund.charge, refund.amount) == (paid.id, charge, 500)
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        client.v1.refunds.create({"charge": "ch_nobody"})
    assert (unknown.value.http_status, unknown.value.param) == (404, "charge")
    with pytest.raises(stripe.InvalidRequestError, match="does not belong"):
        client.v1.refunds.create({"charge": charge, "payment_intent": other.id})
    with pytest.raises(stripe.InvalidRequestError, match="payment_intent or charge"):
        client.v1.refunds.create({"amount": 500})


def test_a_repeated_refund_gives_back_once(client: stripe.StripeClient) -> None:
    paid, key = pay(client, "pm_card_visa"), uuid.uuid4().hex
    both = [
        client.v1.refunds.create({"payment_intent": paid.id, "amount": 500}, {"idempotency_key": key})
        for _ in range(2)
    ]
    assert both[0].id == both[1].id
    assert len(client.v1.refunds.list({"payment_intent": paid.id}).data) == 1


def test_a_payment_that_took_nothing_cannot_be_refunded(client: stripe.StripeClient) -> None:
    waiting = pay(client, "pm_card_authenticationRequired")
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        client.v1.refunds.create({"payment_intent": waiting.id})


def test_a_refund_that_fails_later_is_told(client: stripe.StripeClient, receiver: Receiver) -> None:
    paid = pay(client, "pm_card_refundFail")
    refund = client.v1.refunds.create({"payment_intent": paid.id})
    assert refund.status == "succeeded"
    event_about(receiver, "refund.failed", refund.id)
    assert client.v1.refunds.retrieve(refund.id).status == "failed"


def test_every_change_is_told_and_some_of_it_twice(client: stripe.StripeClient, receiver: Receiver) -> None:
    already = len(receiver.events)
    for _ in range(10):
        paid = pay(client, "pm_card_createDispute")
        client.v1.refunds.create({"payment_intent": paid.id})
        event_about(receiver, "payment_intent.succeeded", paid.id)
        event_about(receiver, "charge.refunded", paid.id)
        event_about(receiver, "charge.dispute.created", paid.id)
    with pytest.raises(stripe.CardError) as declined:
        pay(client, "pm_card_chargeDeclined")
    assert declined.value.error is not None
    assert declined.value.error.payment_intent is not None
    event_about(receiver, "payment_intent.payment_failed", declined.value.error.payment_intent.id)
    ids = [event.id for event in receiver.events[already:]]
    assert len(set(ids)) < len(ids)


def test_an_event_that_the_receiver_refuses_comes_again_also_after_kill_9(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    receiver.refusals = 1_000
    paid = pay(sandbox.client(), "pm_card_visa")
    eventually(lambda: receiver.refusals < 1_000, "a refused event")
    sandbox.kill()
    receiver.refusals = 0
    sandbox.start()
    event_about(receiver, "payment_intent.succeeded", paid.id)
