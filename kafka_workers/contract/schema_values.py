"""JSON Schemas read as what they say about values: references followed, and each type with its own rules."""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


class UnresolvedReference(Exception):
    """A reference to nothing inside the schema; the text names it."""


class SchemaReader:
    """Reads the parts of one schema, whose references stay inside it."""

    def __init__(self, root: Schema) -> None:
        self._root = root

    def rules_by_type(self, part: Schema | bool) -> dict[str, Schema]:
        """The JSON types that a value of this part may have, and the rules for a value of each type.

        Without any type the part says nothing: then the type is `any`. Several alternatives of one type stay
        together under `anyOf`.
        """
        rules: dict[str, Schema] = {}
        for alternative in self._alternatives(part):
            for name in _types_of(alternative):
                known = rules.get(name)
                rules[name] = {"anyOf": [known, alternative]} if known else alternative
        return rules

    def followed(self, part: Schema | bool) -> Schema:
        """The part, or what it refers to. Raises UnresolvedReference."""
        if isinstance(part, bool):
            return {} if part else {"enum": []}
        while "$ref" in part:
            part = self._found(part["$ref"])
        return part

    def _found(self, reference: str) -> Schema:
        found: Any = self._root
        try:
            for step in reference.removeprefix("#/").split("/"):
                found = found[step]
        except (KeyError, TypeError):
            raise UnresolvedReference(f"the schema has no {reference}") from None
        return found  # type: ignore[no-any-return]

    def _alternatives(self, part: Schema | bool) -> Iterator[Schema]:
        part = self.followed(part)
        choices = part.get("anyOf") or part.get("oneOf")
        if choices is None:
            yield part
        for choice in choices or ():
            yield from self._alternatives(choice)


def allowed_values(rules: Schema) -> list[Any] | None:
    """The only values that are allowed; None where the rules name no values."""
    return [rules["const"]] if "const" in rules else rules.get("enum")


def _types_of(rules: Schema) -> list[str]:
    named = rules.get("type")
    if named is not None:
        return [named] if isinstance(named, str) else list(named)
    values = allowed_values(rules)
    return ["any"] if values is None else sorted({_TYPES.get(type(value), "null") for value in values})
