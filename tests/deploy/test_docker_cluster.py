"""The profile `cluster` runs: three brokers, three members of MongoDB, and one of each may be killed."""

import json
from collections.abc import Iterator

import pytest

from devtools.driver.shop import PROCESSING, Caller, Json, Shop, eventually
from devtools.schema_registry import NoSchemaRegistry
from tests.deploy.compose_file import CLUSTER, EXAMPLE, variables_of
from tests.deploy.composition import Composition, running, shop_of
from tests.deploy.engine import Engine
from tests.deploy.images import REGISTRY, build_stand_ins

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

SERVICES = ("nginx", "relay", "inventory", "order", "kafka-2", "kafka-3", "mongodb-2", "mongodb-3")
REGISTRY_URL = "http://registry:8080/apis/ccompat/v7"


@pytest.fixture(scope="module")
def system(engine_with_images: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composition]:
    """The cluster, with a schema registry where there is one."""
    services: tuple[str, ...] = SERVICES
    variables = variables_of(EXAMPLE) | variables_of(CLUSTER) | {"COMPOSE_PROFILES": "demo,cluster"}
    try:
        build_stand_ins(engine_with_images, REGISTRY, tmp_path_factory.mktemp("registry"))
    except NoSchemaRegistry:
        pass
    else:
        services += REGISTRY
        variables["SCHEMA_REGISTRY_URL"] = REGISTRY_URL
    with running(Composition(engine_with_images, "stockbridge-cluster", variables), *services) as system:
        yield system


@pytest.fixture(scope="module")
def shop(system: Composition) -> Iterator[Shop]:
    with shop_of(system) as shop:
        yield shop


COPIES = """
import json, os
from confluent_kafka.admin import AdminClient
brokers = AdminClient({"bootstrap.servers": os.environ["KAFKA_BROKERS"]}).list_topics(timeout=10)
print(json.dumps({
    name: min(len(partition.isrs) for partition in topic.partitions.values())
    for name, topic in brokers.topics.items()
}))
"""
MEMBERS = """
import json, os, pymongo
with open(os.environ["MONGODB_URI_FILE"]) as file:
    hello = pymongo.MongoClient(file.read().strip()).admin.command("hello")
print(json.dumps([hello["primary"], hello["hosts"]]))
"""
SUBJECTS = f"""
import urllib.request
print(urllib.request.urlopen("{REGISTRY_URL}/subjects", timeout=10).read().decode())
"""


def test_everything_is_there_three_times(system: Composition) -> None:
    copies = json.loads(system.output_of_python("web", COPIES))
    assert {"order.created", "inventory.reserve"} <= copies.keys()
    assert {name: count for name, count in copies.items() if count != 3} == {}
    _, members = json.loads(system.output_of_python("web", MEMBERS))
    assert members == ["mongodb:27017", "mongodb-2:27017", "mongodb-3:27017"]


def test_a_broker_and_the_primary_member_are_killed_and_orders_go_on(system: Composition, shop: Shop) -> None:
    product, customer = shop.new_product(stock=10), shop.new_customer()
    primary, _ = json.loads(system.output_of_python("web", MEMBERS))
    system.kill(primary.partition(":")[0])
    system.kill("kafka")
    for _ in range(3):
        order = eventually(lambda: placed(customer, product), "an order is taken", 60)
        customer.wait_for_status(order["id"], PROCESSING, seconds=90)
    shop.wait_for_stock(product, 7)
    eventually(lambda: restarts(system, "kafka") == 1, "the broker is back")


def placed(customer: Caller, product: str) -> Json:
    """The order; empty while the members elect a primary: the answer says so, and nothing is taken."""
    try:
        return customer.place((product, 1))
    except AssertionError as refusal:
        if "catalogue_unavailable" not in str(refusal):
            raise
        return {}


def restarts(system: Composition, service: str) -> int:
    [container] = system.containers(service)
    return int(container["RestartCount"])


def test_the_workers_register_their_schemas(system: Composition) -> None:
    if not system.containers("registry"):
        pytest.skip("the program of the schema registry cannot be downloaded")
    wanted = {"order.created-value", "inventory.reserve-value", "inventory.reserved-value"}
    eventually(
        lambda: wanted <= {*json.loads(system.output_of_python("web", SUBJECTS))}, "the schemas are there", 60
    )
