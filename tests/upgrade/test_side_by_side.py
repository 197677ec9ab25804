"""Old and new code side by side, on one schema: migrations first, then one process after the other."""

from collections.abc import Iterator

import pytest

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import ADDRESS, CREDIT_CARD, PROCESSING, Caller, Shop, eventually
from devtools.stack.stack import Stack
from tests.upgrade.busy import busy_customer
from tests.upgrade.new_code import NewCode, manage, prepare, replace

pytestmark = [pytest.mark.upgrade, pytest.mark.timeout(400)]

READERS = ("relay", "sockets")
WORKERS = ("inventory", "order", "analytics")
WRITER = "web"
MOVED = ADDRESS | {"street": "2 Mill Lane"}


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> NewCode:
    return NewCode(tmp_path_factory.mktemp("new-code"))


@pytest.fixture(autouse=True)
def all_is_well_afterwards(stack: Stack) -> Iterator[None]:
    """After each test nothing is parked, and stock, ledger and orders agree."""
    yield
    eventually(lambda: manage(stack, "parked_events", "list") == "0 parked events\n", "nothing is parked", 60)
    manage(stack, "audit_stock")


def unpaid_order(shop: Shop, customer: Caller) -> str:
    """An order that stays Pending, with its stock reserved, so that its address can be changed."""
    order: str = customer.place((shop.new_product(stock=5), 1), payment_method=CREDIT_CARD)["id"]
    customer.wait_for_stock_status(order, "reserved")
    return order


def change_address(customer: Caller, order: str) -> None:
    answer = customer.call("PATCH", f"orders/{order}/", json={"shippingAddress": MOVED})
    assert answer.status_code == 200, answer.text


def goes_through(shop: Shop) -> None:
    customer = shop.new_customer()
    order = customer.place((shop.new_product(stock=5), 1))
    customer.wait_for_status(order["id"], PROCESSING)


def test_readers_before_writers_no_message_of_a_new_type_is_missed(
    stack: Stack, shop: Shop, kafka_client: KafkaClient, new: NewCode
) -> None:
    with busy_customer(shop) as busy:
        prepare(stack, new.directory)
        busy.await_more()  # by the old code, on the new schema
        for name in (*READERS, *WORKERS, WRITER):
            replace(stack, name, new.directory)
            busy.await_more()
        customer = shop.new_customer()
        order = unpaid_order(shop, customer)
        with customer.listening() as socket:
            change_address(customer, order)
            told = socket.wait_for("order:updated", order)
        assert told["order"]["shippingAddress"]["street"] == MOVED["street"]
        assert "parked" not in stack.processes["relay"].log_path.read_text()
        [updated] = [
            record
            for record in kafka_client.of_order(order, "order.updated", count=2)
            if record.headers["ce_sequence"] == str(told["version"])
        ]
        assert updated.json()["orderId"] == order


def test_old_readers_lose_nothing_of_what_new_writers_write_and_stop_nobody(
    stack: Stack, shop: Shop, kafka_client: KafkaClient, new: NewCode
) -> None:
    prepare(stack, new.directory)
    replace(stack, WRITER, new.directory)
    for name in READERS:
        replace(stack, name)
    customer = shop.new_customer()
    order = unpaid_order(shop, customer)
    with busy_customer(shop) as busy:
        with customer.listening() as socket:
            change_address(customer, order)
            assert socket.next() == {"type": "resync"}
        assert customer.order(order)["shippingAddress"]["street"] == MOVED["street"]
        eventually(lambda: order in manage(stack, "parked_events", "list"), "the event is parked")
        assert customer.call("PATCH", f"orders/{order}/cancel/").status_code == 200
        busy.await_more()
        assert customer.order(order)["stockStatus"] == "reserved", "its release waits behind the parked event"
        replace(stack, "relay", new.directory)
        customer.wait_for_stock_status(order, "released")
    of_types = kafka_client.of_order(order, "order.updated", "order.cancelled", count=3)
    assert [record.topic for record in of_types].count("order.cancelled") == 1


def test_the_code_goes_back_to_the_old_one_on_the_new_schema(stack: Stack, shop: Shop, new: NewCode) -> None:
    prepare(stack, new.directory)
    with busy_customer(shop) as busy:
        for name in (WRITER, *WORKERS, *READERS):
            replace(stack, name)
            busy.await_more()
        prepare(stack)
        customer = shop.new_customer()
        order = unpaid_order(shop, customer)
        with customer.listening() as socket:
            change_address(customer, order)
            assert socket.wait_for("order:updated", order)["order"]["shippingAddress"] == MOVED
        goes_through(shop)
