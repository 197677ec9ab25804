"""Topics get more partitions while orders are on their way (docs/partitions.md)."""

import json

import pytest

from devtools.driver.kafka import KafkaClient, Record
from devtools.driver.shop import CANCELLED, Caller, Shop, eventually
from devtools.stack.processes import worker_process
from devtools.stack.stack import Stack
from kafka_workers.workers import RELAY
from tests.running_system import manage
from tests.upgrade.busy import busy_customer

pytestmark = [pytest.mark.upgrade, pytest.mark.timeout(500)]

CONSUMERS = ("inventory", "order")
ORDERS = 24


def add_partitions(stack: Stack, number: int) -> str:
    return manage(stack, "create_topics", "--add-partitions", KAFKA_PARTITIONS=str(number))


def partition_of(kafka_client: KafkaClient, order: str, topic: str) -> int:
    record: Record
    [record] = kafka_client.of_order(order, topic)
    return record.partition


def await_use_of(kafka_client: KafkaClient, shop: Shop, customer: Caller, before: int) -> None:
    """Place orders until the relay uses a partition that was added."""
    product = shop.new_product(stock=1000)

    def is_used() -> bool:
        return partition_of(kafka_client, customer.place((product, 1))["id"], "inventory.reserve") >= before

    eventually(is_used, "the relay uses a new partition", seconds=30)


def test_the_laws_hold_when_messages_of_an_order_are_read_in_another_order(
    stack: Stack, shop: Shop, kafka_client: KafkaClient
) -> None:
    product, customer = shop.new_product(stock=ORDERS), shop.new_customer()
    with busy_customer(shop) as busy:
        for name in CONSUMERS:
            stack.pause(name)
        orders = [customer.place((product, 1))["id"] for _ in range(ORDERS)]
        kafka_client.of_order(orders[-1], "inventory.reserve")
        assert "inventory.reserve had 3 partitions, now has 6" in add_partitions(stack, 6)
        await_use_of(kafka_client, shop, customer, before=3)
        for order in orders:
            assert customer.call("PATCH", f"orders/{order}/cancel/").status_code == 200
        reserves, releases = (
            [partition_of(kafka_client, order, topic) for order in orders]
            for topic in ("inventory.reserve", "inventory.release")
        )
        assert max(reserves) < 3 <= max(releases), "no order has moved, so the test shows nothing"
        for name in CONSUMERS:
            stack.resume(name)
        for order in orders:
            customer.wait_for_stock_status(order, "released", seconds=60)
        assert {customer.order(order)["status"] for order in orders} == {CANCELLED}
        shop.wait_for_stock(product, ORDERS)
        busy.await_more()
    assert "unresolved" not in manage(stack, "dead_letters", "list")
    manage(stack, "audit_stock")


def test_without_the_relay_no_message_of_an_order_overtakes_another(
    stack: Stack, shop: Shop, kafka_client: KafkaClient
) -> None:
    customer = shop.new_customer()
    with busy_customer(shop) as busy:
        stack.remove("relay")
        busy.await_more()
        eventually(lambda: is_all_read(stack), "everything is read", seconds=240)
        add_partitions(stack, 9)
        stack.add(worker_process(RELAY))
        stack.wait_until_ready()
        await_use_of(kafka_client, shop, customer, before=6)
    manage(stack, "audit_stock")


def is_all_read(stack: Stack) -> bool:
    """Whether no group has messages left. The command fails while one is late: mails take longest."""
    try:
        lags = json.loads(manage(stack, "consumer_lag", "--json"))
    except AssertionError:
        return False
    return not any(lag["lag"] for lag in lags)
