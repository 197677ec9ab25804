"""Reading the JSON value of a message that anybody may have sent."""

import json
from typing import TypeVar

import msgspec

from kafka_workers.runtime.exceptions import InvalidMessage

T = TypeVar("T")


def decode_value(decoder: msgspec.json.Decoder[T], value: bytes) -> T:
    """The value, typed. Raises InvalidMessage, with what is wrong and where.

    A key given twice is refused, since two readers may take different ones of the two.
    """
    try:
        typed = decoder.decode(value)
        _strict.decode(value.decode())
    except RecursionError:
        raise InvalidMessage("the JSON is nested too deep") from None
    except ValueError as error:
        raise InvalidMessage(str(error)) from error
    return typed


def _refuse_twice(pairs: list[tuple[str, object]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidMessage(f"the JSON gives {twice[:100]!r} twice in one object")


# Made once: `json.loads` with a hook makes one a call.
_strict = json.JSONDecoder(object_pairs_hook=_refuse_twice)
