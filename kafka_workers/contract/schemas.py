"""The JSON Schemas of the messages' values: one a type and version, the same text everywhere."""

import json
from typing import Any

import msgspec

from kafka_workers.contract.topics import BUSINESS_TOPICS, BusinessTopic

DRAFT_07 = "http://json-schema.org/draft-07/schema#"


def value_schema(topic: BusinessTopic) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a topic's value."""
    _, definitions = msgspec.json.schema_components([topic.value], ref_template="#/$defs/{name}")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": topic.schema_path,
        **definitions.pop(topic.value.__name__),
    }
    # As JSON has it: a default of a struct may be a tuple.
    whole = schema | ({"$defs": definitions} if definitions else {})
    plain: dict[str, Any] = json.loads(json.dumps(whole))
    return plain


def schema_text(topic: BusinessTopic) -> str:
    """The schema as it is published."""
    return json.dumps(value_schema(topic), indent=2, ensure_ascii=False) + "\n"


def registered_schema(topic: BusinessTopic) -> dict[str, Any]:
    """The schema as a schema registry gets it: the same fields in draft-07, and no others are allowed.

    By the rules of registries, nothing can be added to a schema that allows unknown fields, as the published
    one does: an earlier value might have the new field with another meaning. A closed schema may gain
    optional fields and lose none, which is our rule. Not every registry can compare a later draft.
    """
    schema = value_schema(topic)
    definitions = {name: _closed(part) for name, part in schema.pop("$defs", {}).items()}
    text = json.dumps(_closed(schema) | {"$schema": DRAFT_07, "definitions": definitions})
    closed: dict[str, Any] = json.loads(text.replace("#/$defs/", "#/definitions/"))
    return closed


def _closed(part: dict[str, Any]) -> dict[str, Any]:
    return part | {"additionalProperties": False}


def all_schemas() -> dict[str, dict[str, Any]]:
    """The schemas of the code, by their names such as `order.created.v1`."""
    return {topic.schema_name: value_schema(topic) for topic in BUSINESS_TOPICS}
