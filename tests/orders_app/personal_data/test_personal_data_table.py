"""The page about personal data names every text that is stored, and says truly which ones are erased."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec.inspect
import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, models
from msgspec.inspect import StrType, StructType, Type, UnionType, VarTupleType
from pymongo import MongoClient

from orders_app.event_effects import EFFECTS
from orders_app.personal_data.holdings import HOLDINGS
from orders_app.personal_data.orders import BESIDE_ORDERS
from orders_app.personal_data.person import Person

PAGE = (Path(settings.BASE_DIR) / "docs/personal-data.md").read_text()
TABLES, EVENT_TEXTS = PAGE.split("## Texts in the data of events")
TEXTS = (
    models.CharField,
    models.TextField,
    models.JSONField,
    models.BinaryField,
    models.GenericIPAddressField,
)
ELSEWHERE = {"order_event", "order_history", "orders_order", "set_aside_event", "orders_orderitem"}
"""Exported with each order, or none of anybody's: rows that wait for a retry."""


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def rows(text: str) -> Iterator[list[str]]:
    """The cells of the lines of tables that begin with a name."""
    for line in text.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def test_every_column_of_text_is_named_once() -> None:
    stored = {
        model._meta.db_table: {field.column for field in model._meta.concrete_fields if is_text(field)}
        for model in apps.get_models(include_auto_created=True)
    }
    page = {tuple(named(cells[0])): set(named(cells[1]) + named(cells[2])) for cells in rows(TABLES)}
    in_tables = {tables: set().union(*(stored[table] for table in tables)) for tables in page}
    assert page == in_tables
    assert {table for table, columns in stored.items() if columns} <= {
        name for names in page for name in names
    }


def is_text(field: Any) -> bool:
    return isinstance(field, TEXTS) and not field.is_relation


@pytest.mark.django_db
def test_every_table_with_the_id_of_a_user_or_an_order_is_exported() -> None:
    nobody = Person(0, "nobody", frozenset())
    exported = {holding.rows(nobody).model._meta.db_table for holding in HOLDINGS}
    exported |= {model._meta.db_table for _, model, _ in BESIDE_ORDERS} | ELSEWHERE
    copies = {"analytics_order_a", "analytics_order_b", "analytics_line_a", "analytics_line_b"}
    rights = {"auth_user_groups", "auth_user_user_permissions"}
    with_person = {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if {field.column for field in model._meta.concrete_fields} & {"user_id", "order_id"}
    }
    assert with_person - exported == copies | rights


def test_every_collection_of_mongodb_is_named(clean_catalogue: None, mongodb: str) -> None:
    [paragraph] = [text for text in TABLES.split("\n\n") if text.startswith("MongoDB")]
    with MongoClient[dict[str, Any]](mongodb) as client:
        assert set(client.get_default_database().list_collection_names()) <= set(named(paragraph))


def text_paths(found: Type, path: str = "") -> Iterator[str]:
    match found:
        case StructType(fields=fields):
            for field in fields:
                yield from text_paths(field.type, f"{path}.{field.encode_name}".strip("."))
        case UnionType(types=types):
            for each in types:
                yield from text_paths(each, path)
        case VarTupleType(item_type=item):
            yield from text_paths(item, path)
        case StrType():
            yield path


def test_every_text_in_the_data_of_events_is_named() -> None:
    texts = {
        path for effect in EFFECTS.values() for path in text_paths(msgspec.inspect.type_info(effect.data))
    }
    page = [path for cells in rows(EVENT_TEXTS) for path in named(cells[0])]
    assert sorted(page) == sorted(texts)


def planted(paths: list[str]) -> dict[str, Any]:
    """Data with a word at each of these paths."""
    data: dict[str, Any] = {}
    for path in paths:
        *outer, last = path.split(".")
        inner = data
        for name in outer:
            inner = inner.setdefault(name, {})
        inner[last] = f"secret {path}"
    return data


@pytest.mark.django_db
@pytest.mark.parametrize("actor", ["customer:7", "staff:1"])
def test_the_texts_that_the_page_calls_erased_are_erased_and_no_others(actor: str) -> None:
    erased = [path for cells in rows(EVENT_TEXTS) if cells[1] != "stays" for path in named(cells[0])]
    data = planted([path for cells in rows(EVENT_TEXTS) for path in named(cells[0])])
    data["changes"]["cancelReason"]["code"] = "CUSTOMER_REQUEST"
    with connection.cursor() as cursor:
        cursor.execute("SELECT redacted_event_data(%s, %s)::text", [actor, json.dumps(data)])
        redacted = cursor.fetchone()[0]
    left = re.findall(r"secret ([\w.]+)", redacted)
    assert sorted(left) == sorted(set(re.findall(r"secret ([\w.]+)", json.dumps(data))) - set(erased))
