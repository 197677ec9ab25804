"""The messages as other programs read about them: JSON Schemas of the values, and one AsyncAPI document."""

from collections.abc import Iterator
from typing import Any

import msgspec

from kafka_workers.contract.topics import BUSINESS_TOPICS, ORDERS, BusinessTopic

HEADERS: dict[str, dict[str, Any]] = {
    "ce_specversion": {"type": "string", "const": "1.0"},
    "ce_id": {"type": "string", "description": "The id of the fact; the same in every repetition."},
    "ce_type": {"type": "string", "description": "The topic."},
    "ce_source": {"type": "string", "description": "The service that sent the message."},
    "ce_time": {"type": "string", "format": "date-time", "description": "The time of the fact."},
    "ce_subject": {"type": "string", "description": "The order id."},
    "ce_dataschema": {"type": "string", "description": "The path of the value's schema."},
    "content-type": {"type": "string", "const": "application/json"},
    "traceparent": {"type": "string", "description": "W3C trace context of the request that caused it."},
    "ce_sequence": {
        "type": "string",
        "description": "The order's version; on every message that the order service sends.",
    },
    "ce_causationid": {
        "type": "string",
        "description": "The id of the command that this answers; only on answers of our own services.",
    },
}
OPTIONAL_HEADERS = {"traceparent", "ce_sequence", "ce_causationid"}


def value_schema(topic: BusinessTopic) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a topic's value."""
    _, definitions = msgspec.json.schema_components([topic.value], ref_template="#/$defs/{name}")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": topic.schema,
        **definitions.pop(topic.value.__name__),
    }
    return schema | {"$defs": definitions} if definitions else schema


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI document of all topics."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Stockbridge over Kafka",
            "version": "1",
            "description": "CloudEvents 1.0 in binary mode; the key of every message is the order id.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in BUSINESS_TOPICS},
        "operations": dict(_operations()),
        "components": {
            "messages": {topic.name: _message(topic) for topic in BUSINESS_TOPICS},
            "schemas": {"cloudEventHeaders": _headers()},
        },
    }


def _channel(topic: BusinessTopic) -> dict[str, Any]:
    message = {"$ref": f"#/components/messages/{topic.name}"}
    return {"address": topic.name, "messages": {topic.name: message}}


def _message(topic: BusinessTopic) -> dict[str, Any]:
    return {
        "name": topic.name,
        "title": topic.value.__name__,
        "summary": topic.value.__doc__,
        "headers": _headers_of(topic),
        "payload": {
            "schemaFormat": "application/schema+json;version=2020-12",
            "schema": {"$ref": f"./schemas/{topic.name}.v1.json"},
        },
        "bindings": {"kafka": {"key": {"type": "string", "description": "The order id."}}},
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
