"""What other programs write into the catalogue: documents that can be sold, and documents that cannot."""

from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId

Fields = dict[str, Any]

SELLABLE: list[Fields] = [
    {},
    {"price": 9.99},
    {"price": 5},
    {"price": Int64(7)},
    {"price": 0},
    {"price": 0.1 + 0.2},
    {"price": 19.900000000000002},
    {"price": 9999999999.99},
    {"price": Decimal128("1E+2")},
    {"price": Decimal128("1.500")},
    {"price": Decimal128("-0")},
    {"isActive": None},
    {"received": None},
    {"received": Int64(2**40)},
    {"stock": Int64(2**53 - 1)},
    {"name": "ü" * 200},
    {"name": "\U0001f600" * 200},
    {"name": "Kettle\n"},
    {"category": None, "tags": "oil", "imageUrl": 5, "brand": ["Acme"], "colour": {"a": 1}},
    {"tags": ["oil", 5, None], "createdAt": "yesterday", "updatedAt": 5},
]
UNSELLABLE: list[Fields] = [
    {"price": "call us"},
    {"price": "12.50"},
    {"price": float("nan")},
    {"price": float("inf")},
    {"price": Decimal128("NaN")},
    {"price": Decimal128("sNaN")},
    {"price": Decimal128("-Infinity")},
    {"price": Decimal128("Infinity")},
    {"price": 1e16},
    {"price": Decimal128("1E+6000")},
    {"price": -1},
    {"price": Decimal128("-0.01")},
    {"price": Decimal128("1.001")},
    {"price": 9.999},
    {"price": [5]},
    {"price": {"amount": 5}},
    {"price": True},
    {"price": None},
    {"price": ...},
    {"name": 5},
    {"name": ""},
    {"name": " \t"},
    {"name": "\u00a0\u2003"},
    {"name": "a\x00b"},
    {"name": "x" * 201},
    {"name": ["Kettle"]},
    {"name": {"en": "Kettle"}},
    {"name": None},
    {"name": ...},
    {"stock": "5"},
    {"stock": 5.0},
    {"stock": -1},
    {"stock": [5]},
    {"stock": Int64(2**60)},
    {"stock": True},
    {"stock": None},
    {"stock": ...},
    {"received": "5"},
    {"received": 2.0},
    {"received": -1},
    {"isActive": 1},
    {"isActive": "yes"},
    {"isActive": [True]},
]
"""Fields to be planted; `...` leaves the field out."""


def name_of(fields: Fields) -> str:
    """A short name of the case."""
    return ", ".join(f"{name}={str(value)[:20]}" for name, value in fields.items()) or "complete"


each_sellable = pytest.mark.parametrize("fields", SELLABLE, ids=map(name_of, SELLABLE))
each_unsellable = pytest.mark.parametrize("fields", UNSELLABLE, ids=map(name_of, UNSELLABLE))


def document(fields: Fields) -> Fields:
    """A whole document with these fields."""
    whole = {"_id": ObjectId(), "name": "Kettle", "price": Decimal128("9.99"), "stock": 5, **fields}
    return {name: value for name, value in whole.items() if value is not ...}
