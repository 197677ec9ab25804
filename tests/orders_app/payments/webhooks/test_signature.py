"""Signatures of webhooks: those of the gateway's own library are right, and nothing else is."""

import time

import pytest
import stripe

from orders_app.exceptions import WebhookRefused
from orders_app.payments.webhooks.signature import TOLERANCE_SECONDS, require_signature
from tests.orders_app.payments.webhooks.gateway_events import SECRET, signature

BODY = '{"id": "evt_1", "name": "é"}'.encode()
HEX = "0" * 64


def test_a_body_that_the_gateways_library_has_signed_is_let_in() -> None:
    header = stripe.WebhookSignature.generate_signature_header(BODY.decode(), SECRET)
    require_signature(BODY, header, [SECRET], time.time())


@pytest.mark.parametrize("seconds", [TOLERANCE_SECONDS - 5, 5 - TOLERANCE_SECONDS])
def test_a_signature_within_five_minutes_is_let_in(seconds: float) -> None:
    require_signature(BODY, signature(BODY, seconds_ago=seconds), [SECRET], time.time())


@pytest.mark.parametrize("seconds", [TOLERANCE_SECONDS + 5, -TOLERANCE_SECONDS - 5, 10**9])
def test_an_older_signature_or_one_of_a_time_to_come_is_refused(seconds: float) -> None:
    with pytest.raises(WebhookRefused, match="5 minutes"):
        require_signature(BODY, signature(BODY, seconds_ago=seconds), [SECRET], time.time())


def test_one_right_signature_among_several_is_enough() -> None:
    moment, _, right = signature(BODY).partition(",")
    require_signature(BODY, f"{moment}, v1={HEX}, {right}, v0={HEX}", [SECRET], time.time())


def test_while_a_secret_is_replaced_both_are_right() -> None:
    old, new = "whsec_old", "whsec_new"
    for signed_with in (old, new):
        require_signature(BODY, signature(BODY, signed_with), [new, old], time.time())
    with pytest.raises(WebhookRefused, match="right for this body"):
        require_signature(BODY, signature(BODY, old), [new], time.time())


def test_a_changed_body_another_secret_and_another_time_are_refused() -> None:
    right = signature(BODY)
    other_time = right.replace("t=", "t=1", 1)
    for body, header in (
        (BODY + b" ", right),
        (BODY.replace(b"evt_1", b"evt_2"), right),
        (BODY, signature(BODY, "whsec_other")),
        (BODY, other_time),
        (b"", right),
    ):
        with pytest.raises(WebhookRefused, match="right for this body"):
            require_signature(body, header, [SECRET], time.time())


@pytest.mark.parametrize(
    "header",
    [
        "",
        "v1",
        f"v1={HEX}",
        "t=1",
        f"t=,v1={HEX}",
        f"t=-1,v1={HEX}",
        f"t=1e3,v1={HEX}",
        f"t=١٢,v1={HEX}",
        f"t={'9' * 5000},v1={HEX}",
        f"t={1},v0={HEX}",
        f"t={1},v1=é{HEX}",
        f"t={1},v1={HEX[:-1]}",
        f"t={1},v1={HEX.replace('0', 'G')}",
        f"T={1},V1={HEX}",
        "," * 10_000,
        f"t={1}," + "x" * 5_000 + f",v1={HEX}",
        "\x00",
    ],
)
def test_a_header_that_is_none_of_the_gateway_is_refused(header: str) -> None:
    with pytest.raises(WebhookRefused, match="Stripe-Signature"):
        require_signature(BODY, header, [SECRET], time.time())


def test_without_a_secret_nothing_is_let_in() -> None:
    with pytest.raises(WebhookRefused, match="no webhook secret"):
        require_signature(BODY, signature(BODY, ""), [], time.time())
