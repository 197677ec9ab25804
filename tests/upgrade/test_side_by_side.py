"""Old and new code side by side on one schema, while customers order (docs/upgrading.md).

The new code has a new type of event with a message of its own, and a new column of orders.
"""

from collections.abc import Iterator

import pytest

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import CANCELLED, Caller, Listener, Shop, eventually
from devtools.stack.stack import Stack
from tests.running_system import manage
from tests.upgrade.busy import busy_customer
from tests.upgrade.new_code import NEW, OLD, READERS, WRITERS, Upgrade, new_code

pytestmark = [pytest.mark.upgrade, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def upgrade(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgrade]:
    """Afterwards all runs by the old code again, nothing is parked, and stock, ledger and orders agree."""
    upgrade = Upgrade(stack, new_code(tmp_path_factory.mktemp("new-code")))
    yield upgrade
    upgrade.replace_all(OLD)
    assert manage(stack, "parked_events", "list").splitlines()[-1] == "0 parked events"
    manage(stack, "audit_stock")


def placed_order(shop: Shop, customer: Caller, socket: Listener) -> str:
    """An order that is Processing, as the customer was told."""
    order: str = customer.place((shop.new_product(stock=5), 1))["id"]
    socket.wait_for("order:status_changed", order)
    return order


def wrap(shop: Shop, order: str) -> None:
    """What only the new code can: it appends an event of the new type."""
    answer = shop.staff.call("POST", f"orders/{order}/wrap/", json={"paper": "red"})
    assert answer.status_code == 200, answer.text


def papers(kafka_client: KafkaClient, order: str) -> list[object]:
    """What the messages of the new type say of an order, of which there is at least one."""
    return [record.json()["paper"] for record in kafka_client.of_order(order, "order.wrapped")]


def test_readers_before_writers_every_event_of_a_new_type_is_told(
    stack: Stack, shop: Shop, kafka_client: KafkaClient, upgrade: Upgrade
) -> None:
    upgrade.replace_all(OLD)
    customer = shop.new_customer()
    with busy_customer(shop) as busy:
        upgrade.prepare(NEW)
        busy.await_more()  # by the old code, on the new schema
        for names in (READERS, upgrade.workers, WRITERS):
            upgrade.replace(NEW, *names)
            busy.await_more()
        with customer.listening() as socket:
            order = placed_order(shop, customer, socket)
            wrap(shop, order)
            told = socket.wait_for("order:updated", order)
    assert "wrapped as a gift" in told["message"]
    assert papers(kafka_client, order) == ["red"]
    assert "event parked" not in stack.processes["relay"].log_path.read_text()


def test_the_old_code_is_put_back_and_works_on_the_new_schema(shop: Shop, upgrade: Upgrade) -> None:
    upgrade.prepare(NEW)
    upgrade.replace_all(NEW)
    customer = shop.new_customer()
    with customer.listening() as socket:
        order = placed_order(shop, customer, socket)
        wrap(shop, order)
        socket.wait_for("order:updated", order)
    with busy_customer(shop) as busy:
        for names in (WRITERS, upgrade.workers, READERS[::-1]):
            upgrade.replace(OLD, *names)
            busy.await_more()
        upgrade.prepare(OLD)
        busy.await_more()
    entries = customer.call("GET", f"orders/{order}/history/").json()
    assert "Another version of the shop wrote this event" in str(entries)
    assert customer.call("PATCH", f"orders/{order}/cancel/").status_code == 200
    customer.wait_for_stock_status(order, "released")


def test_writers_before_readers_only_orders_with_new_events_wait_and_nothing_is_lost(
    stack: Stack, shop: Shop, kafka_client: KafkaClient, upgrade: Upgrade
) -> None:
    upgrade.prepare(NEW)
    upgrade.replace_all(OLD)
    customer = shop.new_customer()
    with busy_customer(shop) as busy:
        upgrade.replace(NEW, *WRITERS)
        with customer.listening() as socket:
            order = placed_order(shop, customer, socket)
            wrap(shop, order)
            assert socket.next() == {"type": "resync"}
        eventually(lambda: order in manage(stack, "parked_events", "list"), "the event is parked")
        assert customer.call("PATCH", f"orders/{order}/cancel/").json()["status"] == CANCELLED
        busy.await_more()
        assert customer.order(order)["stockStatus"] == "reserved", "its release does not wait"
        upgrade.replace(NEW, "relay")
        customer.wait_for_stock_status(order, "released")
    assert papers(kafka_client, order) == ["red"]
