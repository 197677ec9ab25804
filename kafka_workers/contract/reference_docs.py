"""Reference pages that follow from the code: JSON Schemas, AsyncAPI, the topics, the figures.

Nothing here depends on the environment, so the same code always gives the same text.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml
from prometheus_client import Counter, Gauge, Histogram

from foundation import metrics
from kafka_workers.contract.principals import PURPOSES, all_permissions
from kafka_workers.contract.topics import BUSINESS_TOPICS, GROUPS, ORDERS, BusinessTopic
from kafka_workers.runtime.group_topics import retry_number

GENERATED = "Written by `manage.py generate_docs`: change the code that it describes, not this file."

HEADERS: dict[str, dict[str, Any]] = {
    "ce_specversion": {"type": "string", "const": "1.0"},
    "ce_id": {"type": "string", "description": "The same whenever the same fact is sent again."},
    "ce_type": {"type": "string", "description": "The topic."},
    "ce_source": {"type": "string", "description": "The service that sent it."},
    "ce_time": {"type": "string", "format": "date-time", "description": "When the fact came to be."},
    "ce_subject": {"type": "string", "description": "The order id."},
    "ce_dataschema": {"type": "string", "description": "The path of the value's schema."},
    "content-type": {"type": "string", "const": "application/json"},
    "traceparent": {"type": "string", "description": "W3C trace context of what caused the message."},
    "ce_sequence": {"type": "string", "description": "The order's version; on the orders' own messages."},
}
OPTIONAL_HEADERS = {"traceparent", "ce_sequence"}


def pages() -> dict[str, str]:
    """Every generated file: its path under `docs/`, and its text."""
    return {
        **{f"schemas/{topic.name}.v1.json": _json(value_schema(topic)) for topic in BUSINESS_TOPICS},
        "asyncapi.yaml": f"# {GENERATED}\n" + yaml.safe_dump(_asyncapi(), sort_keys=False, width=110),
        "topics.md": "\n".join(_topics_page()) + "\n",
        "metrics.md": "\n".join(_metrics_page()) + "\n",
        "kafka-access.md": "\n".join(_access_page()) + "\n",
    }


def value_schema(topic: BusinessTopic) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a topic's value."""
    _, definitions = msgspec.json.schema_components([topic.value], ref_template="#/$defs/{name}")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": topic.schema,
        **definitions.pop(topic.value.__name__),
    }
    return schema | {"$defs": definitions} if definitions else schema


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _asyncapi() -> dict[str, Any]:
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
        "headers": {"$ref": "#/components/schemas/cloudEventHeaders"},
        "payload": {
            "schemaFormat": "application/schema+json;version=2020-12",
            "schema": {"$ref": f"./schemas/{topic.name}.v1.json"},
        },
        "bindings": {"kafka": {"key": {"type": "string", "description": "The order id."}}},
    }


def _headers() -> dict[str, Any]:
    required = [name for name in HEADERS if name not in OPTIONAL_HEADERS]
    return {"type": "object", "properties": HEADERS, "required": required}


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for topic in BUSINESS_TOPICS:
        yield f"send.{topic.name}", _operation("send", topic)
        for group in topic.groups:
            binding = {"kafka": {"groupId": {"type": "string", "const": group}}}
            yield f"receive.{topic.name}.{group}", _operation("receive", topic) | {"bindings": binding}


def _operation(action: str, topic: BusinessTopic) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{topic.name}"}}


def _topics_page() -> Iterator[str]:
    yield from ("# Topics", "", f"<!-- {GENERATED} -->", "")
    yield "Partitions, replication and retention: `KAFKA_PARTITIONS`, `KAFKA_REPLICATION_FACTOR`,"
    yield "`KAFKA_RETENTION_DAYS`. The key is the order id, so the messages of one order keep their order."
    yield from ("", "| topic | value | sent by | read by |", "|---|---|---|---|")
    for topic in BUSINESS_TOPICS:
        sender = "outbox relay" if topic.source == ORDERS else "inventory consumer"
        schema = f"[{topic.value.__name__}](schemas/{topic.name}.v1.json)"
        readers = ", ".join(f"`{group}`" for group in topic.groups) or "neighbours"
        yield f"| `{topic.name}` | {schema}: {topic.value.__doc__} | {sender} | {readers} |"
    yield from ("", "## Of the groups", "", "| group | tries again from | dead letters |", "|---|---|---|")
    for group in GROUPS:
        yield f"| `{group}` | `{group}.retry.1`, `.2`, … one per delay | `{group}.dlq` |"
    yield from ("", "The delays are the setting `RETRY_DELAYS_SECONDS`.", "", "## Headers", "")
    yield from ("| header | | |", "|---|---|---|")
    for name, header in HEADERS.items():
        presence = "where there is one" if name in OPTIONAL_HEADERS else "always"
        yield f"| `{name}` | {presence} | {header.get('description') or header['const']} |"
    yield from ("", "A message without these headers is accepted where its value is valid for the topic;")
    yield "its id is then topic/partition/offset."


def _access_page() -> Iterator[str]:
    yield from ("# Kafka users and their ACLs", "", f"<!-- {GENERATED} -->", "")
    yield "What `manage.py kafka_access` makes ([kafka-security.md](kafka-security.md)). All allow, from"
    yield "any host, on exactly this name. There is one retry topic for each delay of `RETRY_DELAYS_SECONDS`."
    for user, purpose in PURPOSES.items():
        yield from ("", f"## `{user}`", "", f"For {purpose}.", "", "| on | may |", "|---|---|")
        rights: dict[str, set[str]] = {}
        for permission in all_permissions():
            if permission.user == user:
                what = f"{permission.kind.replace('_', ' ').lower()} `{_any_retry(permission.name)}`"
                rights.setdefault(what, set()).add(permission.operation)
        for what, operations in rights.items():
            yield f"| {what} | {', '.join(sorted(operations))} |"


def _any_retry(topic: str) -> str:
    number = retry_number(topic)
    return topic.removesuffix(str(number)) + "<n>" if number else topic


def _metrics_page() -> Iterator[str]:
    yield from ("# Metrics", "", f"<!-- {GENERATED} -->", "")
    yield from (
        "Served at `/metrics` in the Prometheus format.",
        "",
        "| metric | kind | labels | says |",
        "|---|---|---|---|",
    )
    for metric in vars(metrics).values():
        if isinstance(metric, Counter | Gauge | Histogram):
            (family,) = metric.describe()
            name = f"{family.name}_total" if isinstance(metric, Counter) else family.name
            labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001 - no public reader
            yield f"| `{name}` | {family.type} | {labels} | {family.documentation} |"
