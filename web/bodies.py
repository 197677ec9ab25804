"""JSON bodies, read by msgspec straight into structs: one decoding checks the shape and takes the values."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from itertools import islice
from typing import Any, TypeVar

import msgspec
from rest_framework.exceptions import ErrorDetail, ParseError, ValidationError

from web.body_faults import Fault, find_faults

Body = TypeVar("Body", bound=msgspec.Struct)

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
PLACE = re.compile(r"(?:JSON is malformed: )?(?P<problem>.*) \(byte (?P<offset>\d+)\)", re.DOTALL)
MAX_FAULTS = 50
EMPTY = "The body is empty; a JSON object is expected."
JSON_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises about a body; its ValidationError is a DecodeError."""

# A number beyond all floats is a wrong value of its field, and hides no other fault.
_decode_any = msgspec.json.Decoder(float_hook=float).decode


@cache
def _decoder(kind: type[msgspec.Struct]) -> msgspec.json.Decoder[Any]:
    """One decoder a struct: making one costs more than using it."""
    return msgspec.json.Decoder(kind)


def read_body(body: Any, kind: type[Body], *, may_be_empty: bool = False) -> Body:
    """These bytes of JSON as this struct; where they may be empty, that reads as an empty object.

    Raises ParseError where it is empty or no JSON, and ValidationError that names every wrong field.
    """
    if not body and not may_be_empty:
        raise ParseError(EMPTY)
    content = without_byte_order_mark(body or b"{}")
    try:
        value: Body = _decoder(kind).decode(content)
    except JSON_ERRORS as error:
        raise _refusal(content, kind, error) from error
    return value


def without_byte_order_mark(body: bytes) -> bytes:
    """The JSON of a body: some programs begin UTF-8 with a mark, which RFC 8259 lets readers ignore."""
    return body.removeprefix(BYTE_ORDER_MARK)


def _refusal(body: bytes, kind: type[msgspec.Struct], error: Exception) -> ValidationError | ParseError:
    """Why the struct cannot be read: `error` is about the first fault, the refusal names all."""
    try:
        value = _decode_any(body)
    except JSON_ERRORS as malformed:
        return malformed_json(body, malformed)
    if not isinstance(error, msgspec.ValidationError):
        return malformed_json(body, error)
    faults = list(islice(find_faults(value, kind), MAX_FAULTS))
    return field_errors(faults or [Fault("", f"{error}.".replace("`", ""), "invalid")])


def malformed_json(body: bytes, error: Exception) -> ParseError:
    """Why and where these bytes are no JSON; `error` is one of JSON_ERRORS."""
    match error:
        case RecursionError():
            return ParseError("JSON parse error: nested too deep.")
        case UnicodeDecodeError():
            return ParseError("JSON parse error: the body is not UTF-8.")
    place = PLACE.fullmatch(str(error))
    if place is None:
        return ParseError(f"JSON parse error: {_without_place(body, error)}.")
    before = body[: int(place["offset"])].decode(errors="replace")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return ParseError(f"JSON parse error: {place['problem']} at line {line}, column {column}.")


def _without_place(body: bytes, error: Exception) -> str:
    """In words of ours what msgspec says without a place."""
    if isinstance(error, msgspec.ValidationError):
        return "a number is too large"
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return "the body ends before the value does"
    return "a text holds half of a surrogate pair"


def field_errors(faults: Iterable[Fault]) -> ValidationError:
    """A ValidationError of these faults."""
    errors = defaultdict(list)
    for fault in faults:
        errors[fault.path or "non_field_errors"].append(ErrorDetail(fault.sentence, fault.code))
    return ValidationError(dict(errors))


def field_error(path: str, sentence: str, code: str) -> ValidationError:
    """A ValidationError of one field, given by its dotted path."""
    return field_errors([Fault(path, sentence, code)])
