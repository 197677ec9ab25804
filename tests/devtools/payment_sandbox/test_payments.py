"""Payments at the sandbox, by the stripe library: each token does what it says, each key charges once."""

import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from devtools.driver.shop import eventually
from tests.devtools.payment_sandbox.conftest import Receiver, Sandbox, event_about


def pay(
    client: stripe.StripeClient, token: str, *, key: str | None = None, **more: Any
) -> stripe.PaymentIntent:
    parameters: Any = {
        "amount": 1999,
        "currency": "usd",
        "confirm": True,
        "payment_method": token,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        **more,
    }
    return client.v1.payment_intents.create(parameters, {"idempotency_key": key or uuid.uuid4().hex})


def payments_of(client: stripe.StripeClient, order: str) -> list[stripe.PaymentIntent]:
    found = client.v1.payment_intents.list({"limit": 100}).auto_paging_iter()
    return [payment for payment in found if payment.metadata.to_dict().get("order_id") == order]


def test_a_payment_takes_its_amount_and_keeps_its_metadata(client: stripe.StripeClient) -> None:
    paid = pay(client, "pm_card_visa", metadata={"order_id": "7", "order_number": "N-7"}, currency="JPY")
    found = client.v1.payment_intents.retrieve(paid.id, {"expand": ["latest_charge"]})
    assert (found.status, found.amount_received, found.currency) == ("succeeded", 1999, "jpy")
    assert found.metadata.to_dict() == {"order_id": "7", "order_number": "N-7"}
    assert isinstance(found.latest_charge, stripe.Charge)
    assert (found.latest_charge.amount, found.latest_charge.amount_refunded) == (1999, 0)


@pytest.mark.parametrize(
    ("token", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedFraudulent", "card_declined", "fraudulent"),
        ("pm_card_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
    ],
)
def test_a_declined_payment_takes_nothing_and_says_why(
    client: stripe.StripeClient, token: str, code: str, decline_code: str | None
) -> None:
    with pytest.raises(stripe.CardError) as declined:
        pay(client, token)
    assert declined.value.error is not None
    assert (declined.value.code, declined.value.error.decline_code) == (code, decline_code)
    assert declined.value.error.payment_intent is not None
    kept = client.v1.payment_intents.retrieve(declined.value.error.payment_intent.id)
    assert (kept.status, kept.amount_received) == ("requires_payment_method", 0)
    assert kept.last_payment_error is not None
    assert kept.last_payment_error.code == code


def test_a_payment_that_needs_the_customer_waits_or_is_declined_as_was_asked(
    client: stripe.StripeClient,
) -> None:
    assert pay(client, "pm_card_authenticationRequired").status == "requires_action"
    with pytest.raises(stripe.CardError) as declined:
        pay(client, "pm_card_authenticationRequired", error_on_requires_action=True)
    assert declined.value.code == "authentication_required"


@pytest.mark.parametrize("token", ["pm_card_visa", "pm_card_chargeDeclined"])
def test_a_repeated_key_gets_the_first_answer(client: stripe.StripeClient, token: str) -> None:
    order = uuid.uuid4().hex
    answers = []
    for _ in range(2):
        try:
            answers.append(str(pay(client, token, key=order, metadata={"order_id": order})))
        except stripe.CardError as declined:
            answers.append(str(declined.json_body))
    assert answers[0] == answers[1]
    assert len(payments_of(client, order)) == 1


def test_a_key_of_another_request_is_refused(client: stripe.StripeClient) -> None:
    key = uuid.uuid4().hex
    pay(client, "pm_card_visa", key=key)
    with pytest.raises(stripe.IdempotencyError) as refused:
        pay(client, "pm_card_visa", key=key, amount=5)
    assert refused.value.http_status == 400


def test_a_refused_request_leaves_its_key_free(client: stripe.StripeClient) -> None:
    key = uuid.uuid4().hex
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, "pm_nobody", key=key)
    assert pay(client, "pm_card_visa", key=key).status == "succeeded"


def test_one_key_sent_many_times_at_once_charges_once(client: stripe.StripeClient) -> None:
    order = uuid.uuid4().hex

    def attempt() -> str | None:
        try:
            return pay(client, "pm_card_visa", key=order, metadata={"order_id": order}).id
        except stripe.StripeError as refused:
            return None if refused.http_status == 409 else str(refused)

    with ThreadPoolExecutor(8) as pool:
        answers = {pool.submit(attempt) for _ in range(24)}
    [charged] = payments_of(client, order)
    assert {answer.result() for answer in answers} - {None} == {charged.id}


def test_a_lost_answer_is_found_by_its_key(client: stripe.StripeClient) -> None:
    order = uuid.uuid4().hex
    with pytest.raises(stripe.APIConnectionError):
        pay(client, "pm_sandbox_lost_answer", key=order, metadata={"order_id": order})
    found = pay(client, "pm_sandbox_lost_answer", key=order, metadata={"order_id": order})
    assert found.status == "succeeded"
    assert [payment.id for payment in payments_of(client, order)] == [found.id]


def test_a_slow_payment_goes_on_when_its_caller_has_left(sandbox: Sandbox) -> None:
    order = uuid.uuid4().hex
    with pytest.raises(stripe.APIConnectionError):
        pay(sandbox.client(seconds=0.2), "pm_sandbox_slow_1", key=order, metadata={"order_id": order})
    client = sandbox.client()
    with pytest.raises(stripe.StripeError) as under_way:
        pay(client, "pm_sandbox_slow_1", key=order, metadata={"order_id": order})
    assert under_way.value.error is not None
    assert (under_way.value.http_status, under_way.value.error.code) == (409, "idempotency_key_in_use")
    [charged] = eventually(lambda: payments_of(client, order), "the payment")
    assert pay(client, "pm_sandbox_slow_1", key=order, metadata={"order_id": order}).id == charged.id


def test_an_unavailable_gateway_answers_503_as_often_as_the_token_says(client: stripe.StripeClient) -> None:
    key = uuid.uuid4().hex
    for _ in range(2):
        with pytest.raises(stripe.APIError) as unavailable:
            pay(client, "pm_sandbox_unavailable_2", key=key)
        assert unavailable.value.http_status == 503
    assert pay(client, "pm_sandbox_unavailable_2", key=key).status == "succeeded"


def test_a_payment_that_only_the_webhook_ends_is_processing_first(
    client: stripe.StripeClient, receiver: Receiver
) -> None:
    payment = pay(client, "pm_sandbox_webhook_only")
    assert payment.status == "processing"
    told = event_about(receiver, "payment_intent.succeeded", payment.id)
    assert told.data.object.amount_received == 1999
    assert client.v1.payment_intents.retrieve(payment.id).status == "succeeded"


@pytest.mark.parametrize(
    ("wrong", "parameter"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": "12.50"}, "amount"),
        ({"currency": "dollars"}, "currency"),
        ({"currency": "xyz"}, "currency"),
        ({"payment_method": ""}, "payment_method"),
        ({"confirm": False}, "confirm"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_parameters_are_refused_by_name(
    client: stripe.StripeClient, wrong: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay(client, "pm_card_visa", **wrong)
    assert (refused.value.http_status, refused.value.param) == (400, parameter)


def test_a_wrong_secret_key_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(stripe.AuthenticationError):
        pay(sandbox.client("sk_test_of_somebody_else"), "pm_card_visa")


def test_an_unknown_payment_is_404(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.retrieve("pi_nobody")
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_pages_list_every_payment_once_newest_first(client: stripe.StripeClient) -> None:
    order = uuid.uuid4().hex
    made = [pay(client, "pm_card_visa", metadata={"order_id": order}).id for _ in range(5)]
    first = client.v1.payment_intents.list({"limit": 2})
    assert ([payment.id for payment in first.data], first.has_more) == (made[:-3:-1], True)
    second = client.v1.payment_intents.list({"limit": 2, "starting_after": first.data[-1].id})
    assert [payment.id for payment in second.data] == made[-3:-5:-1]


def test_pages_begin_at_the_time_that_is_asked_for(client: stripe.StripeClient) -> None:
    made = pay(client, "pm_card_visa")
    since = client.v1.payment_intents.list({"created": {"gte": made.created}})
    assert made.id in {payment.id for payment in since.data}
    assert client.v1.payment_intents.list({"created": {"gte": made.created + 3600}}).data == []


@pytest.mark.parametrize("query", [{"ending_before": "pi_1"}, {"created": {"lt": 1}}])
def test_a_page_that_the_sandbox_cannot_give_is_refused(client: stripe.StripeClient, query: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.list(query)


def test_a_repeated_answer_says_that_it_is_one(client: stripe.StripeClient) -> None:
    key = uuid.uuid4().hex
    first, second = (pay(client, "pm_card_visa", key=key).last_response for _ in range(2))
    assert first is not None
    assert second is not None
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("metadata", [{"a": "b" * 501}, {"k" * 41: "b"}, {str(n): "" for n in range(51)}])
def test_metadata_that_are_too_large_are_refused(
    client: stripe.StripeClient, metadata: dict[str, str]
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="up to 50 keys"):
        pay(client, "pm_card_visa", metadata=metadata)


def test_payments_and_keys_survive_kill_9(sandbox: Sandbox) -> None:
    client, order = sandbox.client(), uuid.uuid4().hex
    answered: list[str] = []
    killed = threading.Event()

    def pay_until_killed() -> None:
        while not killed.is_set():
            try:
                key = f"{order}-{len(answered)}"
                answered.append(pay(client, "pm_card_visa", key=key, metadata={"order_id": order}).id)
            except stripe.APIConnectionError:
                return

    paying = threading.Thread(target=pay_until_killed)
    paying.start()
    eventually(lambda: len(answered) >= 20, "some payments")
    sandbox.kill()
    killed.set()
    paying.join()
    sandbox.start()
    kept = [payment.id for payment in payments_of(client, order)]
    # The last one may have been charged without an answer.
    assert set(answered) <= set(kept)
    assert len(kept) <= len(answered) + 1
    assert pay(client, "pm_card_visa", key=f"{order}-0", metadata={"order_id": order}).id == answered[0]


def test_a_missing_secret_stops_the_start_with_one_sentence() -> None:
    options = ["--books", "/nonexistent", "--webhook-url", "http://127.0.0.1:1/"]
    done = subprocess.run(
        [sys.executable, "-m", "devtools.payment_sandbox", *options],
        env={"STRIPE_SECRET_KEY": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "payment sandbox: STRIPE_SECRET_KEY is not set\n")
