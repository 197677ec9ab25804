"""What is said over a socket that is open: by the client, and about each kind of event."""

from collections.abc import Iterator

import msgspec
import pytest

from orders_app.document import CancelCode, CancelReason
from orders_app.services.change_order import (
    cancel_order,
    change_status,
    delete_order,
    mark_paid,
    update_order,
)
from orders_app.state_machine import OrderStatus, PaymentMethod
from tests.orders_app.ordering import OTHER_ADDRESS, STAFF, Desk, answer, events, now, rejected, reserved
from tests.orders_app.sockets.browser import Browser, browsing, listening, token

TOO_BIG = 4009
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connected(socket_url: str) -> Iterator[Browser]:
    with browsing(socket_url) as browser:
        browser.authenticate(token(7))
        yield browser


@pytest.fixture
def customer(socket_url: str, desk: Desk) -> Iterator[Browser]:
    with listening(socket_url, desk.user_id) as browser:
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
def test_a_senseless_message_is_answered_and_the_connection_kept(
    connected: Browser, frame: str | bytes, code: str
) -> None:
    connected.send(frame)
    error = connected.hear()
    assert (error["type"], error["code"]) == ("error", code)
    assert error["detail"]
    connected.subscribe()


def test_a_ping_is_answered(connected: Browser) -> None:
    connected.say("ping")
    assert connected.hear() == {"type": "pong"}


def test_unknown_fields_are_ignored(connected: Browser) -> None:
    connected.say("ping", loudly=True)
    assert connected.hear() == {"type": "pong"}


def test_a_message_above_64_kib_closes(connected: Browser) -> None:
    connected.say("x" * 65_000)
    assert connected.hear()["code"] == "unknown_type"
    connected.say("x" * 66_000)
    assert connected.close_code() == TOO_BIG


def test_subscribing_again_is_confirmed_and_tells_nothing_twice(customer: Browser, desk: Desk) -> None:
    customer.subscribe()
    desk.place()
    assert customer.hear()["type"] == "order:created"
    assert customer.hears_nothing_more()


def test_a_new_order_is_told_with_all_of_it(customer: Browser, desk: Desk) -> None:
    order = desk.place()
    message = customer.hear()
    assert message["type"] == "order:created"
    assert message["eventId"] == f"{order.id}:1"
    assert message["orderId"] == message["order"]["id"] == str(order.id)
    assert message["version"] == message["order"]["version"] == 1
    assert message["timestamp"].endswith("Z")
    assert message["message"] == f"Order {order.order_number} was placed."
    assert message["order"]["totalAmount"] == "20.00"


def test_reserved_stock_confirms_and_moves_the_order_on(customer: Browser, desk: Desk) -> None:
    order = desk.place()
    answer(reserved(order))
    _, confirmed, moved = customer.hears(3)
    assert (confirmed["type"], confirmed["order"]["status"]) == ("order:confirmed", 1)
    assert confirmed["order"]["stockStatus"] == "reserved"
    assert moved["type"] == "order:status_changed"
    assert (moved["oldStatus"], moved["newStatus"], moved["order"]["status"]) == (1, 2, 2)
    assert (moved["oldStatusLabel"], moved["newStatusLabel"]) == ("Pending", "Processing")
    assert moved["message"] == f"Order {order.order_number} is now processing."


def test_rejected_stock_is_told_as_a_cancellation_with_its_reason(customer: Browser, desk: Desk) -> None:
    order = desk.place()
    answer(rejected(order))
    *_, moved, cancelled = customer.hears(3)
    assert (moved["type"], moved["newStatus"]) == ("order:status_changed", 5)
    assert cancelled["type"] == "order:cancelled"
    assert cancelled["reason"] == cancelled["order"]["cancelReason"]["detail"]
    assert cancelled["reason"] in cancelled["message"]


def test_payment_change_and_delivery_are_told(customer: Browser, desk: Desk) -> None:
    order = desk.place(PaymentMethod.UPI)
    mark_paid(order_id=order.id, origin=STAFF)
    update_order(order_id=order.id, shipping_address=OTHER_ADDRESS, origin=STAFF)
    for status in (OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        change_status(order_id=order.id, new_status=status, origin=STAFF)
    _, paid, updated, *_, completed = customer.hears(7)
    assert (paid["type"], paid["order"]["paymentStatus"]) == ("order:payment", 2)
    assert paid["message"] == f"The payment of order {order.order_number} is paid."
    assert (updated["type"], updated["order"]["shippingAddress"]["street"]) == (
        "order:updated",
        "2 Bridge St",
    )
    assert (completed["type"], completed["order"]["status"]) == ("order:completed", 4)


def test_a_deletion_is_not_told(customer: Browser, desk: Desk) -> None:
    order = desk.place()
    reason = CancelReason(CancelCode.CUSTOMER_REQUEST, "Changed my mind.")
    cancel_order(order_id=order.id, reason=reason, origin=STAFF)
    delete_order(order_id=order.id, origin=STAFF)
    later = desk.place()
    heard = customer.hears_until(f"{later.id}:1")
    assert [message["version"] for message in heard if message["orderId"] == str(order.id)] == [1, 2, 3]


def test_each_version_is_told_with_the_order_as_it_was_then(customer: Browser, desk: Desk) -> None:
    order = desk.place()
    answer(reserved(order))
    change_status(order_id=order.id, new_status=OrderStatus.SHIPPED, origin=STAFF)
    heard = customer.hears(1 + len(events(order)))
    assert [message["version"] for message in heard] == [1, 2, 3, 4]
    assert [message["order"]["status"] for message in heard] == [1, 1, 2, 3]
    assert heard[-1]["order"]["shippedAt"] == msgspec.to_builtins(now(order).shipped_at)
