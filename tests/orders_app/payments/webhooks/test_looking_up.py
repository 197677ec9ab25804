"""What a webhook told of a payment is asked of the gateway: what is so moves the order, else staff see it."""

import pytest

from devtools.stack.server import Server
from foundation.advisory_lock import Lock, release_lock, take_lock
from orders_app.document import OrderDocument
from orders_app.messages import PaymentRequested
from orders_app.models import GatewayEvent
from orders_app.payments.gateway import GatewayUnavailable
from orders_app.payments.webhooks import looking_up
from orders_app.payments.webhooks.looking_up import POLL_SECONDS, Silent, look_up_waiting
from orders_app.state_machine import PaymentStatus
from tests.concurrency import run_beside
from tests.orders_app.ordering import OrderPlacer, all_that_is_stored, now
from tests.orders_app.paying import asked
from tests.orders_app.payments.charging import (
    charge_by_hand,
    charge_request,
    outcome_of,
    payments_for,
    place_with_token,
    settle,
)
from tests.orders_app.payments.webhooks.gateway_events import event, payment, send

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("payment_sandbox", "webhook_secret"),
]
SUCCEEDED, FAILED = "payment_intent.succeeded", "payment_intent.payment_failed"


@pytest.fixture
def charged(placer: OrderPlacer) -> OrderDocument:
    """An order whose money is taken, which it does not know yet."""
    order = place_with_token(placer)
    outcome_of(charge_request(order))
    return now(order)


def look_ups(order: OrderDocument) -> list[tuple[int, object]]:
    """The attempts and payments that the order asked to be looked up."""
    messages = [message for message in asked(order) if isinstance(message, PaymentRequested)]
    return [(message.attempt, message.payment_id) for message in messages[1:]]


def told() -> tuple[str, str, bool]:
    """The only event: its kind and summary, and whether nothing is left to do about it."""
    only = GatewayEvent.objects.get()
    return only.kind, only.summary, only.resolved_at is not None


@pytest.mark.parametrize("kind", [SUCCEEDED, FAILED])
def test_the_payment_is_as_the_gateway_has_it_whatever_the_event_says(
    charged: OrderDocument, kind: str
) -> None:
    [taken] = payments_for(charged)
    send(event(kind, payment(charged, payment_id=taken.id)))
    look_up_waiting(Silent())
    assert look_ups(charged) == [(1, taken.id)]
    assert (told()[0], told()[2]) == ("payment", True)
    assert settle(charged).payment_status == PaymentStatus.PAID
    before = all_that_is_stored()
    assert look_up_waiting(Silent()) == POLL_SECONDS
    assert all_that_is_stored() == before


@pytest.mark.parametrize("kind", [SUCCEEDED, FAILED])
def test_an_invented_payment_is_shown_to_staff_and_touches_no_order(
    charged: OrderDocument, kind: str
) -> None:
    before = all_that_is_stored()
    send(event(kind, payment(charged, payment_id="pi_invented")))
    look_up_waiting(Silent())
    assert all_that_is_stored() == before
    assert told() == ("unknown_payment", looking_up.NO_SUCH_PAYMENT, False)
    assert look_up_waiting(Silent()) == POLL_SECONDS


def test_a_payment_of_another_order_is_shown_to_staff_and_touches_neither(
    charged: OrderDocument, placer: OrderPlacer
) -> None:
    other = place_with_token(placer)
    [taken] = payments_for(charged)
    before = all_that_is_stored()
    send(event(SUCCEEDED, payment(other, payment_id=taken.id)))
    look_up_waiting(Silent())
    assert all_that_is_stored() == before
    assert told() == ("contradiction", looking_up.ANOTHER_ORDER, False)


def test_a_payment_of_an_attempt_that_was_never_made_is_shown_to_staff(charged: OrderDocument) -> None:
    stray = charge_by_hand(str(charged.id), attempt=7)
    send(event(SUCCEEDED, payment(charged, payment_id=stray.id)))
    look_up_waiting(Silent())
    assert look_ups(charged) == []
    assert told() == ("unknown_payment", looking_up.NOBODY_KNOWS, False)


def test_a_payment_whose_end_is_known_meanwhile_is_not_asked_for(charged: OrderDocument) -> None:
    [taken] = payments_for(charged)
    send(event(SUCCEEDED, payment(charged, payment_id=taken.id)))
    settle(charged)
    before = all_that_is_stored()
    look_up_waiting(Silent())
    assert all_that_is_stored() == before
    assert (told()[0], told()[2]) == ("payment", True)


def test_a_gateway_that_is_away_is_asked_again(charged: OrderDocument, sandbox_server: Server) -> None:
    [taken] = payments_for(charged)
    send(event(SUCCEEDED, payment(charged, payment_id=taken.id)))
    sandbox_server.stop()
    try:
        with pytest.raises(GatewayUnavailable):
            look_up_waiting(Silent())
    finally:
        sandbox_server.start()
    look_up_waiting(Silent())
    assert look_ups(charged) == [(1, taken.id)]


def test_while_another_process_looks_up_this_one_does_not(charged: OrderDocument) -> None:
    [taken] = payments_for(charged)
    send(event(SUCCEEDED, payment(charged, payment_id=taken.id)))
    assert take_lock(Lock.PAYMENT_LOOK_UP)
    try:
        assert run_beside(lambda: look_up_waiting(Silent())) == POLL_SECONDS
    finally:
        release_lock(Lock.PAYMENT_LOOK_UP)
    assert look_ups(charged) == []
