"""What daphne shows of its sockets on its port: how many are open, how soon they hear, and why they end."""

import pytest

from devtools.driver.shop import eventually
from tests.config.test_metrics_of_processes import value
from tests.orders_app.ordering import OrderPlacer
from tests.orders_app.sockets.browser import connected_browser, subscribed_browser

pytestmark = pytest.mark.django_db(transaction=True)


def test_messages_of_a_socket_are_observed_and_its_end(
    socket_url: str, metrics_port: int, placer: OrderPlacer
) -> None:
    def shown(name: str, **labels: str) -> float:
        return value(metrics_port, name, **labels) or 0

    delays, ends = shown("socket_delay_seconds_count"), shown("sockets_closed_total", reason="client")
    with subscribed_browser(socket_url, placer.user_id) as browser:
        assert shown("sockets_connected") >= 1
        placer.place()
        assert browser.receive()["type"] == "order:created"
        eventually(lambda: shown("socket_delay_seconds_count") == delays + 1, "the delay of the message")
    eventually(lambda: shown("sockets_closed_total", reason="client") == ends + 1, "the end of the socket")


def test_a_socket_that_the_server_closes_is_counted_by_the_reason(socket_url: str, metrics_port: int) -> None:
    def closed() -> float:
        return value(metrics_port, "sockets_closed_total", reason="not_authenticated") or 0

    before = closed()
    with connected_browser(socket_url) as browser:
        browser.send("authenticate", token="no token")
        assert browser.close_code() == 4401
    eventually(lambda: closed() == before + 1, "the count")
