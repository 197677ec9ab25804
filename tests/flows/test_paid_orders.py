"""Orders that are paid through the gateway, observed from outside: its books, sockets, topics and answers."""

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from devtools.driver.gateway import GatewayBooks
from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import (
    CANCELLED,
    CASH_ON_DELIVERY,
    CREDIT_CARD,
    PAID,
    PAYMENT_FAILED,
    PAYMENT_PENDING,
    PENDING,
    PROCESSING,
    REFUNDED,
    Caller,
    Listener,
    Shop,
    eventually,
)
from devtools.stack.stack import Stack

VISA, DECLINED, STOLEN = "pm_card_visa", "pm_card_chargeDeclined", "pm_card_chargeDeclinedStolenCard"


def place(customer: Caller, product: str, token: str, *, quantity: int = 1) -> str:
    """Places an order by credit card; returns its id."""
    order = customer.place((product, quantity), payment_method=CREDIT_CARD, payment_token=token)
    return str(order["id"])


def kinds_of(socket: Listener, order_id: str) -> list[str]:
    return [message["type"] for message in socket.received if message.get("orderId") == order_id]


def test_a_prepaid_order_is_reserved_then_paid_then_goes_on(
    shop: Shop, books: GatewayBooks, kafka_client: KafkaClient
) -> None:
    product, alice = shop.new_product(stock=5, price="12.50"), shop.new_customer()
    with alice.listening() as socket:
        order_id = place(alice, product, VISA, quantity=2)
        socket.wait_for("order:status_changed", order_id)
    assert kinds_of(socket, order_id) == [
        "order:created",
        "order:confirmed",
        "order:payment",
        "order:status_changed",
    ]
    order = alice.wait_for_status(order_id, PROCESSING)
    assert (order["paymentStatus"], order["paymentFailure"], order["refundedAmount"]) == (PAID, None, "0.00")
    assert order["paidAt"] is not None
    (payment,) = books.of_order(order_id)
    assert (payment.status, payment.received, payment.currency) == ("succeeded", 2500, "usd")
    records = kafka_client.of_order(order_id, "payment.requested", "payment.succeeded", count=2)
    assert [record.json()["amount"] for record in records] == [2500, 2500]
    assert VISA not in f"{order} {socket.received} {records}"
    assert shop.product(product)["stock"] == 3


def test_an_order_declined_three_times_is_cancelled_and_its_stock_goes_back(
    shop: Shop, books: GatewayBooks
) -> None:
    product, alice = shop.new_product(stock=5), shop.new_customer()
    with alice.listening() as socket:
        order_id = place(alice, product, DECLINED)
        for _ in range(2):
            failed = alice.wait_for_payment_status(order_id, PAYMENT_FAILED)
            assert (failed["status"], failed["stockStatus"]) == (PENDING, "reserved")
            assert failed["paymentFailure"]["detail"]
            answer = alice.pay(order_id, DECLINED)
            assert answer.status_code == 202, answer.text
        cancelled = socket.wait_for("order:cancelled", order_id)
    assert cancelled["order"]["cancelReason"]["code"] == "PAYMENT_FAILED"
    shop.wait_for_stock(product, 5)
    order = alice.wait_for_stock_status(order_id, "released")
    assert order["status"] == CANCELLED
    assert order["paymentStatus"] == PAYMENT_FAILED
    assert kinds_of(socket, order_id).count("order:payment") == 3
    assert [payment.received for payment in books.of_order(order_id)] == [0, 0, 0]
    assert alice.pay(order_id, VISA).status_code == 409


def test_a_decline_for_good_cancels_at_once(shop: Shop) -> None:
    product, alice = shop.new_product(stock=5), shop.new_customer()
    order_id = place(alice, product, STOLEN)
    order = alice.wait_for_status(order_id, CANCELLED)
    assert order["cancelReason"]["code"] == "PAYMENT_FAILED"
    shop.wait_for_stock(product, 5)


def test_a_declined_order_can_be_paid_with_another_card(shop: Shop, books: GatewayBooks) -> None:
    product, alice = shop.new_product(stock=5), shop.new_customer()
    order_id = place(alice, product, DECLINED)
    alice.wait_for_payment_status(order_id, PAYMENT_FAILED)
    assert alice.pay(order_id, VISA).status_code == 202
    order = alice.wait_for_status(order_id, PROCESSING)
    assert (order["paymentStatus"], order["paymentFailure"]) == (PAID, None)
    assert sorted(payment.received for payment in books.of_order(order_id)) == [0, 1000]


def test_an_order_without_a_token_waits_until_it_is_paid(shop: Shop, books: GatewayBooks) -> None:
    product, alice = shop.new_product(stock=5), shop.new_customer()
    order_id = alice.place((product, 1), payment_method=CREDIT_CARD)["id"]
    alice.wait_for_stock_status(order_id, "reserved")
    assert books.of_order(order_id) == []
    assert alice.pay(order_id, VISA).status_code == 202
    alice.wait_for_status(order_id, PROCESSING)


@pytest.mark.parametrize(
    "token",
    ["pm_sandbox_lost_answer", "pm_sandbox_unavailable_2", "pm_sandbox_webhook_only", "pm_sandbox_slow_2"],
)
def test_an_awkward_payment_is_charged_once(shop: Shop, books: GatewayBooks, token: str) -> None:
    product, alice = shop.new_product(stock=5), shop.new_customer()
    order_id = place(alice, product, token)
    order = alice.wait_for_status(order_id, PROCESSING, seconds=40)
    assert order["paymentStatus"] == PAID
    assert [payment.received for payment in books.of_order(order_id)] == [1000]


def test_a_slow_payment_does_not_hold_up_its_neighbours(shop: Shop) -> None:
    product, alice = shop.new_product(stock=20), shop.new_customer()
    slow = place(alice, product, "pm_sandbox_slow_20")
    alice.wait_for_stock_status(slow, "reserved")
    for order_id in [place(alice, product, VISA) for _ in range(6)]:
        alice.wait_for_status(order_id, PROCESSING, seconds=8)
    assert alice.order(slow)["status"] == PENDING


def test_a_cancel_after_the_payment_gives_the_whole_sum_back_once(shop: Shop, books: GatewayBooks) -> None:
    product, alice = shop.new_product(stock=5), shop.new_customer()
    order_id = place(alice, product, VISA, quantity=3)
    alice.wait_for_status(order_id, PROCESSING)
    assert alice.call("PATCH", f"orders/{order_id}/cancel/").status_code == 200
    order = alice.wait_for_payment_status(order_id, REFUNDED)
    assert (order["status"], order["refundedAmount"]) == (CANCELLED, "30.00")
    (payment,) = books.of_order(order_id)
    assert (payment.received, payment.refunds) == (3000, [3000])
    shop.wait_for_stock(product, 5)


def test_a_payment_that_ends_after_the_cancel_goes_back(shop: Shop, books: GatewayBooks) -> None:
    product, alice = shop.new_product(stock=5), shop.new_customer()
    order_id = place(alice, product, "pm_sandbox_slow_3")
    alice.wait_for_stock_status(order_id, "reserved")
    # While an attempt is under way another token is refused.
    assert alice.pay(order_id, VISA).json()["errors"][0]["code"] == "payment_under_way"
    assert alice.call("PATCH", f"orders/{order_id}/cancel/").status_code == 200
    order = alice.order(order_id)

    def has_gone_back() -> bool:
        payments = books.of_order(order_id)
        return all(payment.kept == 0 for payment in payments) and not under_way(alice, order_id)

    eventually(has_gone_back, "nothing kept of a cancelled order", seconds=30)
    assert order["status"] == CANCELLED
    shop.wait_for_stock(product, 5)


@contextmanager
def expiring_a_hold(stack: Stack) -> Iterator[Callable[[str], None]]:
    """Gives what ends the hold of an order; its program runs already, so that no start takes time then."""
    expire = (
        "from uuid import UUID; from orders_app.hold_expiry import EXPIRY_ORIGIN, expire_holds; "
        "print('ready', flush=True); assert expire_holds(order_ids=[UUID(input())], origin=EXPIRY_ORIGIN)"
    )
    command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", expire]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[2], env=stack.env, stdin=pipe, stdout=pipe, text=True
    ) as program:
        assert program.stdout
        assert program.stdout.readline() == "ready\n"

        def expire_hold(order_id: str) -> None:
            program.communicate(order_id, timeout=60)
            assert program.returncode == 0

        yield expire_hold


def is_sent(stack: Stack, order_id: str) -> bool:
    """Whether the order's payment token was sent to the gateway: until then it can be called off."""
    with psycopg.connect(stack.env["DATABASE_URL"]) as database:
        sent = "SELECT sent_at IS NOT NULL FROM payment_token WHERE order_id = %s"
        return database.execute(sent, [order_id]).fetchone() == (True,)


def test_a_payment_that_ends_after_the_hold_has_expired_goes_back(
    shop: Shop, books: GatewayBooks, stack: Stack
) -> None:
    product, alice = shop.new_product(stock=5), shop.new_customer()
    with expiring_a_hold(stack) as expire:
        order_id = place(alice, product, "pm_sandbox_slow_5")
        eventually(lambda: is_sent(stack, order_id), "the token is at the gateway")
        expire(order_id)
    assert alice.order(order_id)["cancelReason"]["code"] == "HOLD_EXPIRED"
    order = alice.wait_for_payment_status(order_id, REFUNDED)
    assert (order["status"], order["refundedAmount"]) == (CANCELLED, "10.00")
    (payment,) = books.of_order(order_id)
    assert (payment.received, payment.refunds) == (1000, [1000])
    shop.wait_for_stock(product, 5)


def under_way(customer: Caller, order_id: str) -> bool:
    order = customer.order(order_id)
    return bool(order["paymentStatus"] in {PAYMENT_PENDING, PAID})


def test_staff_give_back_a_part_and_then_the_rest(shop: Shop, books: GatewayBooks) -> None:
    product, alice = shop.new_product(stock=5), shop.new_customer()
    order_id = place(alice, product, VISA)
    alice.wait_for_status(order_id, PROCESSING)

    def give_back(**body: str) -> None:
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        for _ in range(2):
            answer = shop.staff.call("POST", f"orders/{order_id}/refund/", json=body, headers=headers)
            assert answer.status_code == 202, answer.text

    give_back(amount="4.00", reason="one piece was broken")
    eventually(lambda: alice.order(order_id)["refundedAmount"] == "4.00", "a part that went back")
    give_back(reason="and the other")
    order = alice.wait_for_payment_status(order_id, REFUNDED)
    assert (order["status"], order["refundedAmount"]) == (PROCESSING, "10.00")
    (payment,) = books.of_order(order_id)
    assert sorted(payment.refunds) == [400, 600]


def test_a_token_for_cash_on_delivery_is_refused(shop: Shop) -> None:
    product, alice = shop.new_product(stock=5), shop.new_customer()
    order_id = alice.place((product, 1), payment_method=CASH_ON_DELIVERY)["id"]
    assert alice.pay(order_id, VISA).status_code == 409
