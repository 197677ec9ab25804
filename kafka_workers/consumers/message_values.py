"""Reads the JSON values of messages, which any system on the broker may have sent."""

import json
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from kafka_workers.runtime.exceptions import InvalidMessage

T = TypeVar("T", bound=Struct)


class ValueReader(Generic[T]):
    """Reads values of one type."""

    def __init__(self, kind: type[T]) -> None:
        self._decoder = msgspec.json.Decoder(kind)

    def read(self, value: bytes) -> T:
        """The typed value. Raises InvalidMessage, with what is wrong and where.

        A key that occurs twice in an object is refused: another reader may take the other one of the two.
        """
        try:
            typed = self._decoder.decode(value)
            if not _is_as_encoded(typed, value):
                _strict.decode(value.decode())
        except RecursionError:
            raise InvalidMessage("the JSON is nested too deep") from None
        except ValueError as error:
            raise InvalidMessage(str(error)) from error
        return typed


def _is_as_encoded(typed: Struct, value: bytes) -> bool:
    """Whether the text is, apart from its whitespace, what encoding the value gives.

    Then no key occurs twice and none is unknown. Nearly every message passes, and the comparison costs a
    quarter of what the strict reader costs.
    """
    encoded = msgspec.json.encode(typed)
    return encoded == value or encoded == msgspec.json.format(value, indent=-1)


def _refuse_twice(pairs: list[tuple[str, object]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidMessage(f"the JSON gives {twice[:100]!r} twice in one object")


# Made once: `json.loads` with a hook makes one for each call.
_strict = json.JSONDecoder(object_pairs_hook=_refuse_twice)
