"""The worker of the stock watch: falls become messages on the broker, through an outage of MongoDB too."""

from decimal import Decimal

import jsonschema
import pytest
from mongoengine import get_db

from devtools.driver.kafka import KafkaClient, Record
from devtools.driver.shop import eventually
from devtools.stack.server import Server
from kafka_workers.contract.schemas import value_schema
from kafka_workers.contract.topics import TOPIC_OF
from kafka_workers.stock_watch import run
from products_app.documents.stock_watch import WATCH, WATCHED
from products_app.messages import InventoryLow
from products_app.services.catalogue import create_product, update_product
from tests.concurrency import running

TOPIC = "inventory.low"

pytestmark = pytest.mark.usefixtures("clean_catalogue")


def told(kafka_client: KafkaClient, product: str, count: int) -> list[Record]:
    """The messages about a product, once the watch has sent so many and the broker has acknowledged them."""

    def is_sent() -> bool:
        watch = get_db()[WATCH].find_one({"unsent": []})
        return watch is not None and get_db()[WATCHED].count_documents({"isLow": True}) > 0

    eventually(is_sent, "a fall is sent")
    records = kafka_client.read([TOPIC], lambda found: len(of(found, product)) >= count)
    return of(records, product)


def of(records: list[Record], product: str) -> list[Record]:
    return [each for each in records if each.key == product]


def test_falls_are_messages_of_the_contract_before_and_after_an_outage(
    kafka_client: KafkaClient, mongo_server: Server
) -> None:
    lamp = str(create_product(name="Lantern", price=Decimal(1), stock=3, low_stock_at=5).id)
    with running(run):
        [record] = told(kafka_client, lamp, 1)
        mongo_server.kill()
        mongo_server.start()
        update_product(product_id=lamp, stock=5)
        update_product(product_id=lamp, stock=4)
        _, second = told(kafka_client, lamp, 2)
    value = record.json()
    jsonschema.Draft202012Validator(value_schema(TOPIC_OF[InventoryLow])).validate(value)
    assert value == {
        "productId": lamp,
        "productName": "Lantern",
        "stock": 3,
        "lowStockAt": 5,
        "timestamp": record.headers["ce_time"],
    }
    assert (record.headers["ce_type"], record.headers["ce_subject"]) == (TOPIC, lamp)
    assert record.headers["ce_source"] == "/stockbridge/products"
    assert second.json()["stock"] == 4
    assert record.headers["traceparent"] != second.headers["traceparent"]
    assert record.headers["ce_id"] != second.headers["ce_id"]
    assert record.headers["ce_id"].startswith(f"{lamp}:")
