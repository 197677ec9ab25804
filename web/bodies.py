"""JSON bodies, read by msgspec straight into structs: one decoding checks the shape and takes the values."""

import re
from functools import cache
from typing import Any, TypeVar

import msgspec
from rest_framework.exceptions import ErrorDetail, ParseError, ValidationError

Body = TypeVar("Body", bound=msgspec.Struct)

PLACE = re.compile(r"(?P<problem>.*) - at `\$\.?(?P<path>.*)`", re.DOTALL)
FIELD = re.compile(r"Object (?P<problem>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
CODES = {"missing required": "required", "contains unknown": "not_allowed"}
SENTENCES = {
    "missing required": "This field is required.",
    "contains unknown": "This field cannot be set here.",
}


@cache
def _decoder(kind: type[msgspec.Struct]) -> msgspec.json.Decoder[Any]:
    """One decoder a struct: making one costs more than using it."""
    return msgspec.json.Decoder(kind)


def read_body(body: Any, kind: type[Body]) -> Body:
    """These bytes of JSON as this struct; none at all, or an empty body of DRF, read as an empty object.

    Raises ParseError where it is no JSON, and ValidationError that names the first wrong field.
    """
    try:
        value: Body = _decoder(kind).decode(body or b"{}")
    except msgspec.ValidationError as error:
        raise wrong_field(str(error)) from error
    except RecursionError as error:
        raise ParseError("JSON parse error - nested too deep.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ParseError(f"JSON parse error - {error}") from error
    return value


def wrong_field(sentence: str) -> ValidationError:
    """msgspec's "Expected `int`, got `str` - at `$.items[0].quantity`" as an error of `items.0.quantity`."""
    problem, path = sentence, ""
    if place := PLACE.fullmatch(sentence):
        problem, path = place["problem"], place["path"].replace("[", ".").replace("]", "")
    if field := FIELD.fullmatch(problem):
        path = f"{path}.{field['name']}".lstrip(".")
        return field_error(path, SENTENCES[field["problem"]], CODES[field["problem"]])
    return field_error(path, readable(problem), "invalid")


def readable(problem: str) -> str:
    """msgspec's words, except that people are not shown a regular expression."""
    if "matching regex" in problem:
        return "Must not be blank nor hold control characters."
    return f"{problem.replace('`', '')}."


def field_error(path: str, sentence: str, code: str) -> ValidationError:
    """A ValidationError of one field, given by its dotted path; an empty path is the body as a whole."""
    return ValidationError({path or "non_field_errors": [ErrorDetail(sentence, code)]})
