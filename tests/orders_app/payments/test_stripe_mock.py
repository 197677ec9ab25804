"""The requests of the adapter fit Stripe's own description of its API: its mock server takes them."""

import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from devtools.driver.shop import eventually
from devtools.go_programs import NoGoProgram
from devtools.stack.ports import free_ports
from devtools.stripe_mock import stripe_mock
from orders_app.payments.gateway import Charge, RefundOrder
from orders_app.payments.stripe_gateway import StripeGateway

# The first run builds the server.
pytestmark = [pytest.mark.go, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def gateway() -> Iterator[StripeGateway]:
    try:
        program = stripe_mock()
    except NoGoProgram as reason:
        pytest.skip(str(reason))
    [port] = free_ports(1)
    with subprocess.Popen(
        [program, "-http-addr", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            eventually(lambda: _listens(port), "Stripe's mock server")
            yield StripeGateway(key="sk_test_123", address=f"http://127.0.0.1:{port}")
        finally:
            server.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def new_charge(sent_at: datetime) -> Charge:
    return Charge(
        order_id="0197f3c2-0000-7000-8000-000000000000",
        order_number="SB-7K3M-Q9ZT",
        attempt=1,
        amount=1250,
        currency="USD",
        token="pm_card_visa",
        sent_at=sent_at,
    )


def test_it_takes_a_charge_and_what_it_answers_is_read(gateway: StripeGateway) -> None:
    payment = gateway.charge(new_charge(datetime.now(UTC)))
    assert payment.id.startswith("pi_")
    # Its fixture is a payment that waits for a card, whatever was asked for.
    assert (payment.amount, payment.currency) == (1250, "USD")
    assert payment.failure is None or payment.failure.detail


def test_it_takes_a_look_up_a_search_and_the_lists(gateway: StripeGateway) -> None:
    assert gateway.payment("pi_123") is not None
    assert gateway.charge(new_charge(datetime.now(UTC) - timedelta(days=2))).id
    assert [payment.id[:3] for payment in gateway.payments()] == ["pi_"]
    assert [refund.id[:3] for refund in gateway.refunds("pi_123")] == ["re_"]
    gateway.ping()


def test_it_takes_a_refund_and_what_it_answers_is_read(gateway: StripeGateway) -> None:
    refund = gateway.refund(
        RefundOrder(
            key="a-key",
            payment_id="pi_123",
            amount=250,
            currency="USD",
            order_id="0197f3c2-0000-7000-8000-000000000000",
            order_number="SB-7K3M-Q9ZT",
            number="7",
            sent_at=datetime.now(UTC),
        )
    )
    assert (refund.id[:3], refund.amount) == ("re_", 250)
