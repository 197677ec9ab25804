"""The JSON of the socket messages."""

import pytest

from orders_app.event_effects import EFFECTS
from orders_app.sockets.socket_messages import encode_message
from tests.orders_app.recorded_effects import RECORDED, logged_event, order_after


@pytest.mark.parametrize("name", [name for name, recorded in RECORDED.items() if recorded["socket"]])
def test_a_socket_message_equals_the_recorded_one_byte_for_byte(name: str) -> None:
    recorded = RECORDED[name]
    event = logged_event(recorded)
    text = EFFECTS[event.type].socket
    assert text
    assert encode_message(event, text, order_after(recorded)) == recorded["socket"]


def test_only_a_deletion_and_the_request_for_a_payment_have_no_socket_message() -> None:
    silent = {event_type for event_type, effect in EFFECTS.items() if not effect.socket}
    assert silent == {"order.deleted", "order.payment.requested"}
    recorded = [name for name, each in RECORDED.items() if not each["socket"]]
    assert recorded == ["payment requested", "payment looked up", "deleted"]
