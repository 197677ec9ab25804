"""The door of the payment gateway: what it tells is acted on once; anything else changes nothing."""

import json
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from orders_app.document import OrderDocument
from orders_app.models import GatewayEvent, Refund
from orders_app.services.refund_order import refund_order
from orders_app.state_machine import PaymentMethod
from tests.concurrency import run_together
from tests.orders_app.ordering import STAFF, OrderPlacer, all_that_is_stored, events, now
from tests.orders_app.paying import (
    GOOD,
    declined,
    give_back_all,
    record,
    refunds_asked,
    send_tokens,
    taken,
)
from tests.orders_app.payments.webhooks.gateway_events import (
    TOKEN,
    dispute,
    event,
    payment,
    refund,
    send,
    signature,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("payment_gateway", "webhook_secret"),
]
SUCCEEDED, FAILED = "payment_intent.succeeded", "payment_intent.payment_failed"


@pytest.fixture
def charged(placer: OrderPlacer) -> OrderDocument:
    """An order whose token was sent to the gateway."""
    order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD, payment_token=GOOD)
    send_tokens(order)
    return order


@pytest.fixture
def paid(charged: OrderDocument) -> OrderDocument:
    record(taken(charged))
    return now(charged)


def stored() -> Any:
    """Orders, their log, and the events of the gateway."""
    return all_that_is_stored(), list(GatewayEvent.objects.order_by("pk").values())


def kept() -> list[tuple[str, str]]:
    """The kinds and order numbers of the events that were remembered."""
    return list(GatewayEvent.objects.order_by("received_at").values_list("kind", "order_number"))


@pytest.mark.parametrize(
    "kind", [SUCCEEDED, FAILED, "payment_intent.requires_action", "payment_intent.canceled"]
)
def test_an_event_about_an_attempt_that_has_not_ended_changes_no_order_and_has_its_payment_looked_up(
    charged: OrderDocument, kind: str
) -> None:
    before = all_that_is_stored()
    answered = send(event(kind, payment(charged, payment_id="pi_7")))
    assert (answered.status_code, answered.json()) == (200, {"received": True})
    assert all_that_is_stored() == before
    assert kept() == [("payment", charged.order_number)]


def test_an_event_that_came_before_changes_nothing(charged: OrderDocument) -> None:
    told = event(SUCCEEDED, payment(charged))
    send(told)
    before = stored()
    assert send(told).status_code == 200
    assert send(json.dumps(told, indent=2).encode()).status_code == 200
    assert stored() == before


def test_copies_of_an_event_that_come_at_once_are_kept_once(charged: OrderDocument) -> None:
    told = [
        event(SUCCEEDED, payment(charged), "evt_storm"),
        event("charge.dispute.created", dispute(), "evt_d"),
    ]
    answers = run_together(*[partial(send, each) for each in told * 12])
    assert {each.status_code for each in answers} == {200}
    assert sorted(kept()) == [("dispute", ""), ("payment", charged.order_number)]


@pytest.mark.parametrize("kind", [SUCCEEDED, FAILED])
def test_an_event_about_a_payment_whose_end_is_known_changes_nothing(
    charged: OrderDocument, kind: str
) -> None:
    record(taken(charged) if kind == SUCCEEDED else declined(charged))
    before = stored()
    assert send(event(kind, payment(charged))).status_code == 200
    assert stored() == before


def test_an_old_failure_of_a_payment_that_was_taken_changes_nothing(paid: OrderDocument) -> None:
    before = stored()
    send(event(FAILED, payment(paid)))
    assert stored() == before


def test_a_payment_that_succeeds_after_its_attempt_failed_is_looked_up(charged: OrderDocument) -> None:
    record(declined(charged))
    send(event(SUCCEEDED, payment(charged)))
    assert kept() == [("payment", charged.order_number)]


def test_a_payment_that_is_asked_back_is_known(paid: OrderDocument) -> None:
    record(taken(paid, attempt=1, payment_id="pi_again"))
    assert [message.payment_id for message in refunds_asked(paid)] == ["pi_again"]
    before = stored()
    send(event(SUCCEEDED, payment(paid, payment_id="pi_again")))
    assert stored() == before


def unknown_payments(order: OrderDocument) -> dict[str, Any]:
    """Payments that nobody asked for, some in the name of an order."""
    return {
        "of nobody": payment(None, payment_id="pi_other"),
        "another payment of a paid attempt": payment(order, payment_id="pi_other"),
        "an attempt that was never made": payment(order, attempt=2, payment_id="pi_other"),
        "attempt 0": payment(order, attempt=0, payment_id="pi_other"),
        "no attempt": payment(order, attempt="", payment_id="pi_other"),
        "an attempt that is no number": payment(order, attempt="-1", payment_id="pi_other"),
        "an attempt beyond the column": payment(order, attempt="999999999", payment_id="pi_other"),
        "an unknown order": payment(
            order, payment_id="pi_other", metadata={"order_id": str(uuid4()), "attempt": "1"}
        ),
        "an id that is none": payment(
            order, payment_id="pi_other", metadata={"order_id": "x\x00y", "attempt": "1"}
        ),
        "no metadata": payment(None, payment_id="pi_other", metadata=None),
    }


@pytest.mark.parametrize("case", range(10))
def test_money_that_no_order_knows_of_is_kept_for_staff_and_changes_no_order(
    paid: OrderDocument, case: int
) -> None:
    subject = list(unknown_payments(paid).values())[case]
    before = all_that_is_stored()
    assert send(event(SUCCEEDED, subject)).status_code == 200
    assert send(event(FAILED, subject)).status_code == 200
    assert all_that_is_stored() == before
    [told] = GatewayEvent.objects.all()
    assert (told.kind, told.payment_id, told.amount, told.currency) == (
        "unknown_payment",
        "pi_other",
        Decimal(20),
        "USD",
    )


def test_another_orders_metadata_moves_neither_order(placer: OrderPlacer, charged: OrderDocument) -> None:
    """The signature is the gateway's, so the order is asked about; what the payment is decides."""
    other = placer.place()
    before = now(other), events(other)
    send(event(SUCCEEDED, payment(other, payment_id="pi_1")))
    assert (now(other), events(other)) == before
    assert now(charged) == charged


def test_a_dispute_that_names_no_payment_is_of_no_order(charged: OrderDocument) -> None:
    record(declined(charged, payment_id=""))
    send(event("charge.dispute.created", dispute(payment_intent=None)))
    assert kept() == [("dispute", "")]


def test_a_dispute_is_kept_for_staff(paid: OrderDocument) -> None:
    before = all_that_is_stored()
    send(event("charge.dispute.created", dispute()))
    send(event("charge.dispute.closed", dispute(status="lost")))
    assert all_that_is_stored() == before
    [first, second] = GatewayEvent.objects.order_by("received_at")
    assert (first.kind, first.order_id, first.order_number) == ("dispute", paid.id, paid.order_number)
    assert (first.payment_id, first.reference, first.amount) == ("pi_1", "dp_1", Decimal(20))
    assert (first.summary, second.summary) == ("needs response, fraudulent", "lost, fraudulent")
    assert TOKEN not in str(list(GatewayEvent.objects.values()))


@pytest.mark.parametrize("kind", ["refund.failed", "charge.refund.updated"])
def test_a_refund_that_fails_later_is_recorded_and_kept_for_staff(paid: OrderDocument, kind: str) -> None:
    refund_order(order_id=paid.id, amount=Decimal(5), reason="Broken.", idempotency_key="", origin=STAFF)
    [asked_back] = refunds_asked(paid)
    give_back_all(paid)
    assert now(paid).refunded_amount == 5
    failed = refund(
        paid,
        asked_back.refund,
        id=f"re_{asked_back.refund}",
        status="failed",
        failure_reason="expired_or_canceled_card",
    )
    send(event(kind, failed))
    row = Refund.objects.get(order_id=paid.id)
    assert (row.state, row.code) == ("failed", "expired_or_canceled_card")
    assert now(paid).refunded_amount == now(paid).refund_requested_amount == 0
    assert kept() == [("refund_failed", paid.order_number)]
    before = stored()
    send(event("refund.failed", failed))
    send(event("charge.refund.updated", failed))
    assert stored() == before


def test_a_refund_of_ours_is_known_and_one_made_at_the_gateway_is_kept_for_staff(paid: OrderDocument) -> None:
    send(event("refund.created", refund(paid, 9)))
    send(event("refund.created", refund(None, payment_id="pi_of_another_shop")))
    send(event("charge.refund.updated", refund(None)))
    assert kept() == []
    before = all_that_is_stored()
    send(event("refund.created", refund(None)))
    assert kept() == [("unknown_refund", paid.order_number)]
    assert all_that_is_stored() == before


@pytest.mark.parametrize(
    "kind", ["customer.created", "payment_intent.created", "payment_intent.processing", "x"]
)
def test_an_event_of_an_unknown_type_changes_nothing(charged: OrderDocument, kind: str) -> None:
    before = stored()
    for subject in (payment(charged), {}, None, [1], "text"):
        assert send(event(kind, subject)).status_code == 200
    assert stored() == before


Spoil = Callable[[bytes], tuple[bytes, str]]
FORGERIES: dict[str, Spoil] = {
    "no signature": lambda body: (body, ""),
    "another secret": lambda body: (body, signature(body, "whsec_wrong")),
    "an old signature": lambda body: (body, signature(body, seconds_ago=301)),
    "a time to come": lambda body: (body, signature(body, seconds_ago=-310)),
    "another body": lambda body: (body.replace(b"2000", b"1"), signature(body)),
    "a body that another event was signed for": lambda body: (body, signature(b"{}")),
    "junk": lambda body: (body, "t=1,v1=\xe9"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_the_gateway_has_not_signed_is_refused_before_it_is_read(
    charged: OrderDocument, forgery: str
) -> None:
    body, header = FORGERIES[forgery](json.dumps(event(SUCCEEDED, payment(charged))).encode())
    before = stored()
    with CaptureQueriesContext(connection) as queries:
        answered = send(body, header)
    assert answered.status_code == 400
    assert answered.json()["errors"][0]["code"] == "webhook_refused"
    assert TOKEN.encode() not in answered.content
    assert len(queries) == 0
    assert stored() == before


JUNK: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"\xff\xfe{",
    "half of an event": json.dumps(event(SUCCEEDED, {})).encode()[:-3],
    "a list": b"[]",
    "an object without fields": b"{}",
    "nested": b'{"id":"evt_1","type":"x","created":1,"data":{"object":'
    + b"[" * 20_000
    + b"]" * 20_000
    + b"}}",
    "an id that is no text": json.dumps(event(SUCCEEDED, payment(None), id=5)).encode(),
    "an empty id": json.dumps(event(SUCCEEDED, payment(None), id="")).encode(),
    "a long id": json.dumps(event(SUCCEEDED, payment(None), id="e" * 256)).encode(),
    "an id with a NUL": json.dumps(event(SUCCEEDED, payment(None), id="evt\x00")).encode(),
    "a time beyond the calendar": json.dumps(event(SUCCEEDED, payment(None), created=10**15)).encode(),
    "a negative amount": json.dumps(event(SUCCEEDED, payment(None, amount=-1))).encode(),
    "an amount beyond the column": json.dumps(event(SUCCEEDED, payment(None, amount=10**20))).encode(),
    "an amount that is none": json.dumps(event(SUCCEEDED, payment(None, amount="many"))).encode(),
    "a payment without an id": json.dumps(event(SUCCEEDED, {"object": "payment_intent"})).encode(),
    "a payment that is none": json.dumps(event(SUCCEEDED, "pi_1")).encode(),
    "half of a surrogate pair": json.dumps(event(SUCCEEDED, payment(None, status="\ud800"))).encode(),
}


@pytest.mark.parametrize("junk", JUNK)
def test_what_is_signed_and_no_event_is_refused(junk: str) -> None:
    before = stored()
    answered = send(JUNK[junk])
    assert (answered.status_code, answered.json()["errors"][0]["code"]) == (400, "webhook_refused")
    assert TOKEN.encode() not in answered.content
    assert stored() == before


@pytest.mark.parametrize(
    ("currency", "amount", "expected"),
    [("jpy", 1250, Decimal(1250)), ("kwd", 1250, Decimal("1.25")), ("isk", 12_500, Decimal(125))],
)
def test_amounts_are_read_as_the_gateway_counts_their_currency(
    currency: str, amount: int, expected: Decimal
) -> None:
    assert send(event(SUCCEEDED, payment(None, amount=amount, currency=currency))).status_code == 200
    [told] = GatewayEvent.objects.all()
    assert (told.amount, told.currency) == (expected, currency.upper())


def test_odd_words_of_the_gateway_are_kept_in_a_form_that_can_be_shown() -> None:
    odd = payment(None, status="\x1b[31m\x00" + "x" * 5_000, currency="zzz")
    assert send(event(SUCCEEDED, odd)).status_code == 200
    [told] = GatewayEvent.objects.all()
    assert told.summary.isprintable()
    assert len(told.summary) <= 201
    assert (told.amount, told.currency) == (None, "ZZZ")


def test_without_a_secret_every_webhook_is_refused(settings: Settings, charged: OrderDocument) -> None:
    settings.STRIPE_WEBHOOK_SECRET = ""
    body = json.dumps(event(SUCCEEDED, payment(charged))).encode()
    before = stored()
    assert send(body, signature(body, "")).status_code == 400
    assert stored() == before
