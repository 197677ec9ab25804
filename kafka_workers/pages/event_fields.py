"""The fields of a message's value, in words."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from kafka_workers.contract.schema_values import Schema, SchemaReader, allowed_values
from kafka_workers.contract.schemas import value_schema
from kafka_workers.contract.topics import BusinessTopic

_LIMITS = {
    "string": ("minLength", "maxLength", " characters"),
    "array": ("minItems", "maxItems", " items"),
    "integer": ("minimum", "maximum", ""),
    "number": ("minimum", "maximum", ""),
}


class Field(NamedTuple):
    """A field by its path, such as `items[].price`."""

    path: str
    form: str
    is_required: bool


@cache
def fields_of(topic: BusinessTopic) -> list[Field]:
    """All fields of the topic's value, each before those inside it."""
    schema = value_schema(topic)
    return list(_fields(SchemaReader(schema), "", schema))


def with_code(text: str) -> SafeString:
    """The text as HTML, with what stands between backticks as code."""
    marks = ("{}", "<code>{}</code>")
    parts = [format_html(marks[index % 2], part) for index, part in enumerate(text.split("`"))]
    return format_html_join("", "{}", ((part,) for part in parts))


def _fields(reader: SchemaReader, prefix: str, part: Schema) -> Iterator[Field]:
    rules = reader.rules_by_type(part)
    if "array" in rules:
        yield from _fields(reader, f"{prefix}[]", rules["array"].get("items", {}))
    inside = f"{prefix}." if prefix else ""
    for name, field in rules.get("object", {}).get("properties", {}).items():
        path = f"{inside}{name}"
        required = name in rules["object"].get("required", ())
        yield Field(path, _form(reader.rules_by_type(field)), required)
        yield from _fields(reader, path, field)


def _form(rules: Mapping[str, Schema]) -> str:
    return " or ".join(_form_of_type(name, rule) for name, rule in rules.items())


def _form_of_type(name: str, rules: Schema) -> str:
    values = allowed_values(rules)
    if values is not None:
        return f"one of {', '.join(map(str, values))}"
    kind = f"{rules['format']}, as a string" if "format" in rules else name
    return ", ".join(filter(None, (kind, _limits(name, rules))))


def _limits(name: str, rules: Schema) -> str:
    least, most, unit = _LIMITS.get(name, ("", "", ""))
    low, high = _number(rules.get(least)), _number(rules.get(most))
    if low and high:
        return f"{low} to {high}{unit}"
    return f"at least {low}{unit}" if low else f"at most {high}{unit}" if high else ""


def _number(limit: Any) -> str:
    return "" if limit is None else f"{limit:,}"
