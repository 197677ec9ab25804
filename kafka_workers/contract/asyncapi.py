"""The messages as other programs read about them: one AsyncAPI document."""

from collections.abc import Iterator
from typing import Any

from kafka_workers.contract.topics import BUSINESS_TOPICS, ORDERS, BusinessTopic
from kafka_workers.runtime.messages.schema_id import SCHEMA_ID_HEADER

HEADERS: dict[str, dict[str, Any]] = {
    "ce_specversion": {"type": "string", "const": "1.0"},
    "ce_id": {"type": "string", "description": "The id of the fact; the same in every repetition."},
    "ce_type": {"type": "string", "description": "The topic."},
    "ce_source": {"type": "string", "description": "The service that sent the message."},
    "ce_time": {"type": "string", "format": "date-time", "description": "The time of the fact."},
    "ce_subject": {"type": "string", "description": "What the message is about: its key."},
    "ce_dataschema": {"type": "string", "description": "Where the value's JSON Schema can be fetched."},
    "content-type": {"type": "string", "const": "application/json"},
    "traceparent": {
        "type": "string",
        "description": "W3C trace context of the request that caused it, or of its own; we always send it.",
    },
    "ce_sequence": {
        "type": "string",
        "description": "The order's version; on every message that the order service sends.",
    },
    "ce_causationid": {
        "type": "string",
        "description": "The id of the command that this answers; only on answers of our own services.",
    },
    SCHEMA_ID_HEADER: {
        "type": "string",
        "description": "The schema's id in the schema registry, binary, as Confluent's clients read it; "
        "only with SCHEMA_REGISTRY_URL.",
    },
}
OPTIONAL_HEADERS = {"traceparent", "ce_sequence", "ce_causationid", SCHEMA_ID_HEADER}


def asyncapi(schemas: str) -> dict[str, Any]:
    """The AsyncAPI document of all topics; `schemas` is the address of the folder with their schemas."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Stockbridge over Kafka",
            "version": "1",
            "description": "CloudEvents 1.0 in binary mode; values are plain JSON.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in BUSINESS_TOPICS},
        "operations": dict(_operations()),
        "components": {
            "messages": {topic.name: _message(topic, schemas) for topic in BUSINESS_TOPICS},
            "schemas": {"cloudEventHeaders": _headers()},
        },
    }


def _channel(topic: BusinessTopic) -> dict[str, Any]:
    message = {"$ref": f"#/components/messages/{topic.name}"}
    return {"address": topic.name, "messages": {topic.name: message}}


def _message(topic: BusinessTopic, schemas: str) -> dict[str, Any]:
    return {
        "name": topic.name,
        "title": topic.value.__name__,
        "summary": topic.value.__doc__,
        "headers": _headers_of(topic),
        "payload": {
            "schemaFormat": "application/schema+json;version=2020-12",
            "schema": {"$ref": f"{schemas}{topic.schema_name}.json"},
        },
        "bindings": {"kafka": {"key": {"type": "string", "description": f"The value's {topic.key}."}}},
    }


def _headers_of(topic: BusinessTopic) -> dict[str, Any]:
    headers = {"$ref": "#/components/schemas/cloudEventHeaders"}
    return {"allOf": [headers, {"required": ["ce_sequence"]}]} if topic.source == ORDERS else headers


def _headers() -> dict[str, Any]:
    required = [name for name in HEADERS if name not in OPTIONAL_HEADERS]
    return {"type": "object", "properties": HEADERS, "required": required}


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for topic in BUSINESS_TOPICS:
        yield f"send.{topic.name}", _operation("send", topic)
        for consumer in topic.readers:
            group = consumer.group
            binding = {"kafka": {"groupId": {"type": "string", "const": group}}}
            yield f"receive.{topic.name}.{group}", _operation("receive", topic) | {"bindings": binding}


def _operation(action: str, topic: BusinessTopic) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{topic.name}"}}
