"""The payment consumer: from the orders' requests through the sandbox to their answers, over Kafka."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import Any

import msgspec
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import override_settings
from prometheus_client import REGISTRY

from devtools.driver.kafka import KafkaClient, Record
from devtools.driver.patience import PATIENCE_SECONDS
from devtools.driver.shop import eventually
from devtools.stack.server import Server
from kafka_workers.consumers.orders import ORDER_CONSUMER
from kafka_workers.consumers.payments import PAYMENT_CONSUMER
from kafka_workers.runtime.consuming.consumer_loop import run
from orders_app.document import OrderDocument
from orders_app.event_log import history
from orders_app.messages import PaymentRequested
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER, cancel_order
from orders_app.services.money_under_way import is_token_sent
from orders_app.state_machine import OrderStatus, PaymentStatus
from tests.concurrency import running
from tests.orders_app.ordering import STAFF, TRACE_PARENT, OrderPlacer, catalogue, now, placer
from tests.orders_app.paying import asked
from tests.orders_app.payments.charging import (
    payments_for,
    place_with_token,
    returned_for,
)

__all__ = ["catalogue", "placer"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("payment_sandbox"),
]
GROUP = PAYMENT_CONSUMER.group


@contextmanager
def running_consumers() -> Iterator[None]:
    with ExitStack() as workers:
        workers.enter_context(running(lambda stop: run(PAYMENT_CONSUMER, stop)))
        workers.enter_context(running(lambda stop: run(ORDER_CONSUMER, stop)))
        yield


def send(kafka_client: KafkaClient, *orders: OrderDocument, **changes: Any) -> None:
    """Sends all that these orders ask of the payment service, as the relay does."""
    for order in orders:
        for request in asked(order):
            topic = (
                "payment.requested" if isinstance(request, PaymentRequested) else "payment.refund.requested"
            )
            value = msgspec.json.encode(msgspec.structs.replace(request, **changes))
            kafka_client.send(topic, str(order.id), value, {"traceparent": TRACE_PARENT})


def wait_for(
    order: OrderDocument, payment_status: PaymentStatus, seconds: float = PATIENCE_SECONDS
) -> OrderDocument:
    eventually(
        lambda: now(order).payment_status == payment_status, f"the payment {payment_status.label}", seconds
    )
    return now(order)


def messages_about(kafka_client: KafkaClient, topic: str, order: OrderDocument, number: int) -> list[Record]:
    def found(records: list[Record]) -> list[Record]:
        return [record for record in records if record.key == str(order.id)]

    return found(kafka_client.read([topic], lambda records: len(found(records)) >= number))


def test_an_order_is_charged_and_its_answer_names_the_request_and_the_trace(
    kafka_client: KafkaClient, placer: OrderPlacer
) -> None:
    order = place_with_token(placer)
    with running_consumers():
        send(kafka_client, order)
        paid = wait_for(order, PaymentStatus.PAID)
    assert paid.status == OrderStatus.PROCESSING
    [payment] = payments_for(order)
    assert paid.payment_reference == payment.id
    [answer] = messages_about(kafka_client, "payment.succeeded", order, 1)
    value = answer.json()
    assert (value["amount"], value["currency"], value["attempt"]) == (1250, "USD", 1)
    assert (value["orderNumber"], value["paymentId"]) == (order.order_number, payment.id)
    assert answer.headers["ce_id"] == f"{order.id}:1:payment.succeeded"
    assert answer.headers["ce_source"] == "/stockbridge/payments"
    assert answer.headers["traceparent"] == TRACE_PARENT
    assert {event.trace_parent for event in history(order.id)} == {TRACE_PARENT}


def test_a_request_that_comes_again_after_its_end_is_counted_as_absorbed(
    kafka_client: KafkaClient, placer: OrderPlacer
) -> None:
    def absorbed() -> float:
        name = "stockbridge_duplicates_absorbed_total"
        return REGISTRY.get_sample_value(name, {"group": GROUP}) or 0

    order = place_with_token(placer)
    with running_consumers():
        send(kafka_client, order)
        wait_for(order, PaymentStatus.PAID)
        before = absorbed()
        send(kafka_client, order)
        eventually(lambda: absorbed() == before + 1, "the repeated request is counted")
    assert len(payments_for(order)) == 1


@pytest.mark.parametrize(("currency", "price", "amount"), [("JPY", "1250", 1250), ("KWD", "1.255", 1255)])
def test_an_order_is_charged_and_refunded_in_a_currency_without_or_with_three_decimals(
    kafka_client: KafkaClient, placer: OrderPlacer, currency: str, price: str, amount: int
) -> None:
    with override_settings(CURRENCY=currency):
        call_command("create_collections", verbosity=0)
        order = place_with_token(placer, price=price)
        with running_consumers():
            send(kafka_client, order)
            wait_for(order, PaymentStatus.PAID)
            cancel_order(order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)
            send(kafka_client, order)
            refunded = wait_for(order, PaymentStatus.REFUNDED)
    call_command("create_collections", verbosity=0)
    assert (str(refunded.refunded_amount), refunded.currency) == (price, currency)
    [payment] = payments_for(order)
    assert (payment.amount, payment.currency, returned_for(order)) == (amount, currency, amount)


def test_a_payment_in_trouble_waits_for_a_retry_and_its_neighbours_do_not(
    kafka_client: KafkaClient, placer: OrderPlacer
) -> None:
    in_trouble = place_with_token(placer, "pm_sandbox_unavailable_30")
    slow = place_with_token(placer, "pm_sandbox_slow_30")
    others = [place_with_token(placer) for _ in range(5)]
    with running_consumers():
        started = monotonic()
        send(kafka_client, in_trouble, slow, *others)
        for order in others:
            wait_for(order, PaymentStatus.PAID)
        assert monotonic() - started < 15
        for order in (in_trouble, slow):
            [retried] = messages_about(kafka_client, f"{GROUP}.retry.1", order, 1)
            assert "AnswerMissing" in str(retried.headers)
    assert now(in_trouble).payment_status == now(slow).payment_status == PaymentStatus.PENDING


def test_slow_payments_one_after_the_other_hold_up_nobody_for_long(
    kafka_client: KafkaClient, placer: OrderPlacer
) -> None:
    slow = [place_with_token(placer, "pm_sandbox_slow_30") for _ in range(4)]
    order = place_with_token(placer)
    with running_consumers():
        started = monotonic()
        for each in slow:
            send(kafka_client, each)
            eventually(lambda each=each: is_token_sent(each.id), "the token marked as sent")  # type: ignore[misc]
        send(kafka_client, order)
        wait_for(order, PaymentStatus.PAID)
        assert monotonic() - started < 12


def test_a_forged_request_becomes_a_dead_letter_and_the_true_one_is_charged(
    kafka_client: KafkaClient, placer: OrderPlacer
) -> None:
    order = place_with_token(placer)
    with running_consumers():
        send(kafka_client, order, amount=1)
        send(kafka_client, order, currency="XXX")
        send(kafka_client, order)
        wait_for(order, PaymentStatus.PAID)
        letters = messages_about(kafka_client, f"{GROUP}.dlq", order, 2)
    reasons = [str(letter.headers) for letter in letters]
    assert any("does not ask for 1 USD" in reason for reason in reasons)
    assert any("no currency: 'XXX'" in reason for reason in reasons)
    assert [payment.amount for payment in payments_for(order)] == [1250]


def test_a_gateway_that_is_away_is_waited_for(
    kafka_client: KafkaClient, placer: OrderPlacer, sandbox_server: Server
) -> None:
    order = place_with_token(placer)
    sandbox_server.stop()
    with running_consumers():
        try:
            send(kafka_client, order)
            # The consumer waits for the gateway, and for nothing that comes after.
            eventually(lambda: is_token_sent(order.id), "the token marked as sent")
        finally:
            sandbox_server.start()
        wait_for(order, PaymentStatus.PAID)
    assert len(payments_for(order)) == 1


@override_settings(STRIPE_SECRET_KEY="")
def test_without_a_gateway_the_worker_ends_with_one_sentence() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^STRIPE_SECRET_KEY is not set"):
        call_command("run_payment_consumer")
