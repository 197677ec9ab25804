"""All faults of a JSON value that should be a struct, with the sentences and codes of DRF's serializers.

msgspec stops at the first wrong field. Valid bodies are many and need no more; only a body that msgspec has
refused is compared with its struct again, field by field.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, cast

from django.db.models import Choices
from msgspec import Struct, ValidationError, convert, inspect

from foundation.printable import shortened

CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
SHOWN_CHARACTERS = 50
"""Of what was sent: an error does not send the body back."""


class Fault(NamedTuple):
    """One thing that is wrong; `path` is the field, with dots for what is inside, and empty for the body."""

    path: str
    sentence: str
    code: str


def find_faults(value: object, kind: type[Struct]) -> Iterator[Fault]:
    """The faults of a decoded JSON value, in the order of the struct's fields; none where it is valid."""
    return _faults(value, _type_of(kind), "")


_type_of = cache(inspect.type_info)


def _faults(value: Any, kind: inspect.Type, path: str) -> Iterator[Fault]:
    """The faults of a value of any kind; of a kind that has no rule here none."""
    if isinstance(kind, inspect.UnionType):
        return _of_union(value, kind, path)
    if value is None and path:
        return iter([Fault(path, "This field may not be null.", "null")])
    rule = _RULES.get(type(kind))
    return rule(value, kind, path) if rule else iter(())


def _of_union(value: Any, kind: inspect.UnionType, path: str) -> Iterator[Fault]:
    """Faults of a field that may be null."""
    for other in kind.types:
        if value is not None and not isinstance(other, inspect.NoneType):
            yield from _faults(value, other, path)


def _of_struct(value: Any, kind: inspect.StructType, path: str) -> Iterator[Fault]:
    if not isinstance(value, dict):
        found = type(value).__name__
        yield Fault(path, f"Invalid data. Expected a dictionary, but got {found}.", "invalid")
        return
    for field in kind.fields:
        inner = _inside(path, field.encode_name)
        if field.encode_name in value:
            yield from _faults(value[field.encode_name], field.type, inner)
        elif field.required:
            yield Fault(inner, "This field is required.", "required")
    if kind.forbid_unknown_fields:
        known = {field.encode_name for field in kind.fields}
        for name in (name for name in value if name not in known):
            yield Fault(
                _inside(path, shortened(name, SHOWN_CHARACTERS)),
                "This field cannot be set here.",
                "not_allowed",
            )


def _of_list(value: Any, kind: inspect.ListType, path: str) -> Iterator[Fault]:
    if not isinstance(value, list):
        found = type(value).__name__
        yield Fault(path, f'Expected a list of items but got type "{found}".', "not_a_list")
    elif not value and kind.min_length:
        yield Fault(path, "This list may not be empty.", "empty")
    elif kind.max_length is not None and len(value) > kind.max_length:
        sentence = f"Ensure this field has no more than {kind.max_length} elements."
        yield Fault(path, sentence, "max_length")
    else:
        for index, item in enumerate(value):
            yield from _faults(item, kind.item_type, _inside(path, str(index)))


def _of_text(value: Any, kind: inspect.StrType, path: str) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield Fault(path, "Not a valid string.", "invalid")
    elif not value and kind.min_length:
        yield Fault(path, "This field may not be blank.", "blank")
    elif kind.max_length is not None and len(value) > kind.max_length:
        sentence = f"Ensure this field has no more than {kind.max_length} characters."
        yield Fault(path, sentence, "max_length")
    elif kind.pattern and not re.search(kind.pattern, value):
        yield _of_pattern(value, path)


def _of_pattern(value: str, path: str) -> Fault:
    """Why a text does not match its pattern, without the pattern."""
    if "\x00" in value:
        return Fault(path, "Null characters are not allowed.", "null_characters_not_allowed")
    if CONTROL_CHARACTER.search(value):
        return Fault(path, "Line breaks, tabs and other control characters are not allowed.", "invalid")
    if not value.strip():
        return Fault(path, "This field may not be blank.", "blank")
    return Fault(path, "This value does not have the required form.", "invalid")


def _of_integer(value: Any, kind: inspect.IntType, path: str) -> Iterator[Fault]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield Fault(path, "A valid integer is required.", "invalid")
    elif kind.ge is not None and value < kind.ge:
        yield Fault(path, f"Ensure this value is greater than or equal to {kind.ge}.", "min_value")
    elif kind.le is not None and value > kind.le:
        yield Fault(path, f"Ensure this value is less than or equal to {kind.le}.", "max_value")


def _of_boolean(value: Any, _kind: inspect.BoolType, path: str) -> Iterator[Fault]:
    if not isinstance(value, bool):
        yield Fault(path, "Must be a valid boolean.", "invalid")


def _of_decimal(value: Any, _kind: inspect.DecimalType, path: str) -> Iterator[Fault]:
    try:
        convert(value, Decimal)
    except ValidationError:
        yield Fault(path, "A valid number is required.", "invalid")


def _of_choice(value: Any, kind: inspect.CustomType, path: str) -> Iterator[Fault]:
    """Faults of a field with Django's choices, a custom type to msgspec; the sentence names them."""
    choices = cast("Iterable[Choices]", kind.cls)
    if any(value == choice.value and type(value) is type(choice.value) for choice in choices):
        return
    named = ", ".join(f"{choice.value} ({choice.label})" for choice in choices)
    yield Fault(
        path, f'"{shortened(str(value), SHOWN_CHARACTERS)}" is not a valid choice: {named}.', "invalid_choice"
    )


_RULES: dict[type[inspect.Type], Callable[[Any, Any, str], Iterator[Fault]]] = {
    inspect.StructType: _of_struct,
    inspect.ListType: _of_list,
    inspect.StrType: _of_text,
    inspect.IntType: _of_integer,
    inspect.BoolType: _of_boolean,
    inspect.DecimalType: _of_decimal,
    inspect.CustomType: _of_choice,
}


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
