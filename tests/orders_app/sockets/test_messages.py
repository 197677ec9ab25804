"""The messages of an open socket: those of the client, and those about each type of event."""

from collections.abc import Iterator

import msgspec
import pytest

from orders_app.document import CancelCode, CancelReason
from orders_app.services.change_order import (
    cancel_order,
    delete_order,
    mark_paid,
    update_order,
)
from orders_app.state_machine import OrderStatus, PaymentMethod
from tests.orders_app.ordering import (
    OTHER_ADDRESS,
    STAFF,
    OrderPlacer,
    answer,
    events,
    move,
    now,
    rejected,
    reserved,
)
from tests.orders_app.sockets.browser import Browser, connected_browser, subscribed_browser, token

TOO_BIG = 4009
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connected(socket_url: str) -> Iterator[Browser]:
    with connected_browser(socket_url) as browser:
        browser.authenticate(token(7))
        yield browser


@pytest.fixture
def customer(socket_url: str, placer: OrderPlacer) -> Iterator[Browser]:
    with subscribed_browser(socket_url, placer.user_id) as browser:
        yield browser


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"type": "dance"}', "unknown_type"),
        ("{", "invalid_json"),
        ("", "invalid_json"),
        (b"\xff\xfe", "invalid_json"),
        ("[]", "invalid_message"),
        ('{"token": "x"}', "invalid_message"),
        ('{"type": "authenticate", "lastEventId": 7}', "invalid_message"),
    ],
    ids=str,
)
def test_an_invalid_message_is_answered_and_the_connection_kept(
    connected: Browser, frame: str | bytes, code: str
) -> None:
    connected.send_frame(frame)
    error = connected.receive()
    assert (error["type"], error["code"]) == ("error", code)
    assert error["detail"]
    connected.subscribe()


def test_a_ping_is_answered(connected: Browser) -> None:
    connected.send("ping")
    assert connected.receive() == {"type": "pong"}


def test_unknown_fields_are_ignored(connected: Browser) -> None:
    connected.send("ping", loudly=True)
    assert connected.receive() == {"type": "pong"}


def test_a_message_above_64_kib_closes_the_socket(connected: Browser) -> None:
    connected.send("x" * 65_000)
    assert connected.receive()["code"] == "unknown_type"
    connected.send("x" * 66_000)
    assert connected.close_code() == TOO_BIG


def test_a_second_subscription_is_confirmed_and_sends_nothing_twice(
    customer: Browser, placer: OrderPlacer
) -> None:
    customer.subscribe()
    placer.place()
    assert customer.receive()["type"] == "order:created"
    assert customer.receives_nothing_more()


def test_a_new_order_is_sent_completely(customer: Browser, placer: OrderPlacer) -> None:
    order = placer.place()
    message = customer.receive()
    assert message["type"] == "order:created"
    assert message["eventId"] == f"{order.id}:1"
    assert message["orderId"] == message["order"]["id"] == str(order.id)
    assert message["version"] == message["order"]["version"] == 1
    assert message["timestamp"].endswith("Z")
    assert message["message"] == f"Order {order.order_number} was placed."
    assert message["order"]["totalAmount"] == "20.00"


def test_reserved_stock_sends_a_confirmation_and_the_new_status(
    customer: Browser, placer: OrderPlacer
) -> None:
    order = placer.place()
    answer(reserved(order))
    _, confirmed, moved = customer.receive_many(3)
    assert (confirmed["type"], confirmed["order"]["status"]) == ("order:confirmed", 1)
    assert confirmed["order"]["stockStatus"] == "reserved"
    assert moved["type"] == "order:status_changed"
    assert (moved["oldStatus"], moved["newStatus"], moved["order"]["status"]) == (1, 2, 2)
    assert (moved["oldStatusLabel"], moved["newStatusLabel"]) == ("Pending", "Processing")
    assert moved["message"] == f"Order {order.order_number} is now processing."


def test_rejected_stock_sends_a_cancellation_with_its_reason(customer: Browser, placer: OrderPlacer) -> None:
    order = placer.place()
    answer(rejected(order))
    *_, moved, cancelled = customer.receive_many(3)
    assert (moved["type"], moved["newStatus"]) == ("order:status_changed", 5)
    assert cancelled["type"] == "order:cancelled"
    assert cancelled["reason"] == cancelled["order"]["cancelReason"]["detail"]
    assert cancelled["reason"] in cancelled["message"]


def test_payment_change_and_delivery_are_sent(customer: Browser, placer: OrderPlacer) -> None:
    order = placer.place(PaymentMethod.UPI)
    mark_paid(order_id=order.id, origin=STAFF)
    update_order(order_id=order.id, shipping_address=OTHER_ADDRESS, origin=STAFF)
    for status in (OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        move(order, status)
    _, paid, updated, *_, completed = customer.receive_many(7)
    assert (paid["type"], paid["order"]["paymentStatus"]) == ("order:payment", 2)
    assert paid["message"] == f"Order {order.order_number} is paid."
    assert (updated["type"], updated["order"]["shippingAddress"]["street"]) == (
        "order:updated",
        "2 Bridge St",
    )
    assert (completed["type"], completed["order"]["status"]) == ("order:completed", 4)


def test_a_deletion_is_not_sent(customer: Browser, placer: OrderPlacer) -> None:
    order = placer.place()
    reason = CancelReason(CancelCode.CUSTOMER_REQUEST, "Changed my mind.")
    cancel_order(order_id=order.id, reason=reason, origin=STAFF)
    delete_order(order_id=order.id, origin=STAFF)
    later = placer.place()
    received = customer.receive_until(f"{later.id}:1")
    assert [message["version"] for message in received if message["orderId"] == str(order.id)] == [1, 2, 3]


def test_each_version_is_sent_with_the_order_at_that_version(customer: Browser, placer: OrderPlacer) -> None:
    order = placer.place()
    answer(reserved(order))
    move(order, OrderStatus.SHIPPED)
    received = customer.receive_many(1 + len(events(order)))
    assert [message["version"] for message in received] == [1, 2, 3, 4]
    assert [message["order"]["status"] for message in received] == [1, 1, 2, 3]
    assert received[-1]["order"]["shippedAt"] == msgspec.to_builtins(now(order).shipped_at)
