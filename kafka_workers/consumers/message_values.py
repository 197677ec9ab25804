"""Reading the JSON value of a message that anybody may have sent."""

import json
import re
from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct, inspect

from kafka_workers.runtime.exceptions import InvalidMessage

T = TypeVar("T", bound=Struct)

# What ends a key. Inside a string it may stand too, so there can be fewer keys than are found, never more.
_END_OF_KEY = re.compile(rb'"\s*:')


class ValueReader(Generic[T]):
    """Reads values of one type; lists of structures in it are flat."""

    def __init__(self, kind: type[T]) -> None:
        self._decoder = msgspec.json.Decoder(kind)
        described = _described(kind)
        self._required = _count_required(described)
        self._required_in_lists = dict(_lists_of(described))

    def read(self, value: bytes) -> T:
        """The value, typed. Raises InvalidMessage, with what is wrong and where.

        A key given twice is refused, since two readers may take different ones of the two.
        """
        try:
            typed = self._decoder.decode(value)
            # It holds each key that it must; where it has no more, it has none twice and nothing unknown.
            if len(_END_OF_KEY.findall(value)) > self._least_keys(typed):
                _strict.decode(value.decode())
        except RecursionError:
            raise InvalidMessage("the JSON is nested too deep") from None
        except ValueError as error:
            raise InvalidMessage(str(error)) from error
        return typed

    def _least_keys(self, typed: T) -> int:
        lists = self._required_in_lists.items()
        return self._required + sum([len(getattr(typed, name)) * each for name, each in lists])


def _described(kind: type[Struct]) -> inspect.StructType:
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    return described


def _count_required(described: inspect.StructType) -> int:
    return sum(field.required for field in described.fields)


def _lists_of(described: inspect.StructType) -> Iterator[tuple[str, int]]:
    """The fields that are lists of structures, and how many keys each of those must have."""
    for field in described.fields:
        match field:
            case inspect.Field(required=True, type=inspect.ListType(item_type=inspect.StructType() as item)):
                yield field.name, _count_required(item)


def _refuse_twice(pairs: list[tuple[str, object]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidMessage(f"the JSON gives {twice[:100]!r} twice in one object")


# Made once: `json.loads` with a hook makes one a call.
_strict = json.JSONDecoder(object_pairs_hook=_refuse_twice)
