"""The schemas, the AsyncAPI document and the events page, as everybody can fetch them."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml
from django.test import Client
from pytest_django import Settings

from kafka_workers.contract.schemas import value_schema
from kafka_workers.contract.topics import BUSINESS_TOPICS
from kafka_workers.relay.order_messages import messages_of
from tests.kafka_workers.relay import log_entries

SITE = "https://shop.example.com"


@pytest.fixture(autouse=True)
def _public_address(settings: Settings) -> Iterator[None]:
    settings.PUBLIC_URL = SITE
    forget_addresses()
    yield
    forget_addresses()


def forget_addresses() -> None:
    """The addresses of schemas follow PUBLIC_URL anew."""
    for topic in BUSINESS_TOPICS:
        vars(topic).pop("data_schema", None)


def fetched(address: str) -> Any:
    """The JSON at an address of the installation."""
    parts = urlsplit(address)
    assert f"{parts.scheme}://{parts.netloc}" == SITE
    answer = Client().get(parts.path)
    assert answer.status_code == 200
    return answer.json()


def test_a_message_names_an_address_where_its_schema_is() -> None:
    for message in messages_of(log_entries.as_logged(log_entries.created(log_entries.new_order_id()))):
        schema = fetched(str(message.headers["ce_dataschema"]))
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(json.loads(message.value or b""), schema)


def test_without_a_public_address_a_message_names_the_path(settings: Settings) -> None:
    settings.PUBLIC_URL = ""
    forget_addresses()
    assert BUSINESS_TOPICS[0].data_schema == "/api/schemas/order.created.v1.json"


@pytest.mark.parametrize("path", ["/api/schemas/", "/api/schemas"])
def test_the_list_has_every_type_with_the_address_of_its_schema(path: str) -> None:
    listed = Client().get(path).json()
    assert listed["count"] == len(BUSINESS_TOPICS)
    assert {each["type"]: fetched(each["url"]) for each in listed["results"]} == {
        topic.name: value_schema(topic) for topic in BUSINESS_TOPICS
    }
    assert {each["version"] for each in listed["results"]} == {1}


@pytest.mark.parametrize("name", ["order.created.v2", "order.created", "secrets.v1", "..%2f..%2fetc", "%00"])
def test_a_schema_that_is_not_there_is_a_404_in_the_usual_form(name: str) -> None:
    answer = Client().get(f"/api/schemas/{name}.json")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["schemas/", "schemas/order.created.v1.json", "asyncapi/", "events/"])
def test_nothing_can_be_written(path: str) -> None:
    for method in ("post", "put", "patch", "delete"):
        answer = getattr(Client(), method)(f"/api/{path}")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (405, "method_not_allowed")
        assert answer["Allow"] == "GET, HEAD"
    assert Client().head(f"/api/{path}").status_code == 200


def test_the_asyncapi_document_leads_to_the_schemas() -> None:
    document = Client().get("/api/asyncapi/").json()
    assert document["asyncapi"].startswith("3.")
    payloads = {
        name: fetched(message["payload"]["schema"]["$ref"])
        for name, message in document["components"]["messages"].items()
    }
    assert payloads == {topic.name: value_schema(topic) for topic in BUSINESS_TOPICS}


def test_the_asyncapi_document_is_yaml_where_that_is_asked_for() -> None:
    as_json = Client().get("/api/asyncapi/").json()
    for answer in (
        Client().get("/api/asyncapi/?format=yaml"),
        Client().get("/api/asyncapi/", headers={"accept": "application/yaml"}),
    ):
        assert answer["Content-Type"] == "application/yaml"
        assert yaml.safe_load(answer.content) == as_json
    assert Client().get("/api/asyncapi/", headers={"accept": "text/html"}).json() == as_json


def test_the_page_shows_every_topic_with_its_fields_and_needs_no_other_host() -> None:
    page = Client().get("/api/events/").content.decode()
    for topic in BUSINESS_TOPICS:
        assert f'id="{topic.name}"' in page
        assert all(consumer.group in page for consumer in topic.readers)
    assert "<code>failures[].code</code>" in page
    assert "one of INSUFFICIENT_STOCK, PRODUCT_INACTIVE, PRODUCT_NOT_FOUND" in page
    assert "string, 1 to 64 characters" in page
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []
