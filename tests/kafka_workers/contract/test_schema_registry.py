"""A real schema registry, which Confluent's client and its deserializer read."""

import json
from collections.abc import Iterator
from contextlib import closing
from threading import Event

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, SchemaRegistryError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError
from django.core.management import call_command
from pytest_django import Settings
from structlog.types import EventDict

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import eventually
from devtools.schema_registry import NoSchemaRegistry, SchemaRegistryServer
from devtools.stack.ports import free_ports
from kafka_workers.contract import registration
from kafka_workers.contract.registered_schemas import forget_ids
from kafka_workers.contract.registration import begin_registration
from kafka_workers.contract.schemas import registered_schema
from kafka_workers.contract.topics import BUSINESS_TOPICS
from kafka_workers.relay.order_messages import messages_of
from kafka_workers.runtime.messages.schema_id import SCHEMA_ID_HEADER
from kafka_workers.runtime.producing.producer import Producer
from kafka_workers.workers import RELAY
from tests.kafka_workers.relay import log_entries
from tests.kafka_workers.test_worker_processes import start

# The first run downloads the registry.
pytestmark = [pytest.mark.registry, pytest.mark.timeout(400)]

Headers = dict[str, str | bytes | None] | list[tuple[str, str | bytes | None]]
CREATED = next(topic for topic in BUSINESS_TOPICS if topic.name == "order.created")
SUBJECT = "order.created-value"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SchemaRegistryServer]:
    server = SchemaRegistryServer(tmp_path_factory.mktemp("registry"), free_ports(1)[0])
    try:
        server.install()
    except NoSchemaRegistry as reason:
        pytest.skip(str(reason))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(server: SchemaRegistryServer, settings: Settings) -> Iterator[SchemaRegistryClient]:
    """A client of the registry, which is empty and is that of this process."""
    settings.SCHEMA_REGISTRY_URL = server.url
    with SchemaRegistryClient({"url": server.url}) as client:
        for subject in client.get_subjects():
            client.delete_subject(subject)
            client.delete_subject(subject, permanent=True)
        yield client
    forget_ids()


def register(*topics: str, stop: Event) -> None:
    begin_registration(topics or [topic.name for topic in BUSINESS_TOPICS], stop)
    wanted = [topic for topic in BUSINESS_TOPICS if not topics or topic.name in topics]
    eventually(lambda: all(topic.schema_id for topic in wanted), "every schema is registered")


def test_every_schema_is_registered_with_backward_compatibility_and_keeps_its_id(
    client: SchemaRegistryClient, stop: Event
) -> None:
    register(stop=stop)
    ids = {topic.name: topic.schema_id for topic in BUSINESS_TOPICS}
    for topic in BUSINESS_TOPICS:
        subject = f"{topic.name}-value"
        assert client.get_compatibility(subject) == "BACKWARD"
        assert json.loads(client.get_latest_version(subject).schema.schema_str or "") == registered_schema(
            topic
        )
    forget_ids()
    register(stop=stop)
    assert {topic.name: topic.schema_id for topic in BUSINESS_TOPICS} == ids
    assert client.get_versions(SUBJECT) == [1]


def test_a_message_is_plain_json_that_confluents_deserializer_reads_by_its_header(
    client: SchemaRegistryClient, server: SchemaRegistryServer, kafka: str, stop: Event
) -> None:
    call_command("create_topics", verbosity=0)
    register(stop=stop)
    order = log_entries.new_order_id()
    with Producer("registry-test") as producer:
        producer.connect()
        producer.publish(messages_of(log_entries.as_logged(log_entries.created(order))))
    key, value, headers = raw_message(kafka, "order.created", str(order))
    assert value.startswith(b'{"orderId"')
    context = SerializationContext("order.created", MessageField.VALUE, headers)
    with SchemaRegistryClient({"url": server.url}) as readers:
        read = JSONDeserializer(None, schema_registry_client=readers)
        assert read(value, context)["orderId"] == key
        with pytest.raises(SerializationError):
            read(value.replace(b'"quantity":2', b'"quantity":0'), context)


def raw_message(brokers: str, topic: str, key: str) -> tuple[str, bytes, Headers]:
    """The message with this key: key, value and headers as the broker has them."""
    with closing(KafkaClient(brokers)) as kafka_client:
        [record] = kafka_client.of_order(key, topic)
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": f"raw-{key}"})
    consumer.assign([TopicPartition(topic, record.partition, record.offset)])
    message = consumer.poll(15)
    consumer.close()
    assert message is not None
    return record.key, message.value() or b"", message.headers() or []


def test_a_later_schema_with_a_new_optional_field_is_taken_and_an_incompatible_one_is_not(
    client: SchemaRegistryClient, stop: Event
) -> None:
    register("order.created", stop=stop)
    wider = registered_schema(CREATED)
    wider["properties"]["channel"] = {"type": "string"}
    client.register_schema(SUBJECT, Schema(json.dumps(wider), "JSON"))
    assert client.get_versions(SUBJECT) == [1, 2]
    del wider["properties"]["currency"]
    with pytest.raises(SchemaRegistryError, match="409"):
        client.register_schema(SUBJECT, Schema(json.dumps(wider), "JSON"))
    forget_ids()
    register("order.created", stop=stop)
    assert client.get_versions(SUBJECT) == [1, 2]


def test_a_schema_that_the_registry_refuses_is_told_and_the_others_are_registered(
    client: SchemaRegistryClient, stop: Event, captured_log: list[EventDict]
) -> None:
    other = registered_schema(CREATED)
    other["properties"]["paymentMethod"] = {"type": "string"}
    client.register_schema(SUBJECT, Schema(json.dumps(other), "JSON"))
    client.set_compatibility(SUBJECT, "BACKWARD")
    begin_registration(["order.created", "inventory.reserve"], stop)
    eventually(lambda: "schemas registered" in [entry["event"] for entry in captured_log], "the end")
    [refusal] = [entry for entry in captured_log if entry["event"].startswith("schema refused")]
    assert refusal["topic"] == "order.created"
    assert CREATED.schema_id is None
    assert {topic.name for topic in BUSINESS_TOPICS if topic.schema_id} == {"inventory.reserve"}
    created, reserve = messages_of(log_entries.as_logged(log_entries.created(log_entries.new_order_id())))
    assert SCHEMA_ID_HEADER not in created.headers
    assert SCHEMA_ID_HEADER in reserve.headers


def test_a_worker_registers_what_it_sends_when_it_starts(
    client: SchemaRegistryClient, server: SchemaRegistryServer
) -> None:
    subjects = {f"{topic}-value" for topic in RELAY.sends}
    with start(RELAY, SCHEMA_REGISTRY_URL=server.url) as worker:
        try:
            eventually(lambda: set(client.get_subjects()) == subjects, "every schema is registered")
        finally:
            worker.terminate()
            worker.communicate(timeout=30)
    assert worker.returncode == 0


def test_a_registry_that_comes_back_gets_the_schemas(
    client: SchemaRegistryClient, server: SchemaRegistryServer, stop: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "RETRY_SECONDS", 0.2)
    server.kill()
    begin_registration(["order.created"], stop)
    assert CREATED.schema_id is None
    server.start()
    eventually(lambda: CREATED.schema_id is not None, "the schema is registered")
