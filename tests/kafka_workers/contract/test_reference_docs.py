"""The pages under docs/ that are generated from the code."""

from pathlib import Path

import jsonschema
import msgspec
import pytest
from django.core.management import CommandError, call_command

from kafka_workers.contract import reference_docs
from kafka_workers.contract.schemas import value_schema
from kafka_workers.contract.topics import BUSINESS_TOPICS
from kafka_workers.management.commands import generate_docs
from orders_app.messages import InventoryReserve, Item


def test_the_committed_pages_are_those_of_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        call_command("generate_docs", check=True)
    except CommandError as error:
        pytest.fail(f"{error}\n{capsys.readouterr().out}")


def test_a_page_that_differs_is_shown_and_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = reference_docs.pages() | {"topics.md": "# Other topics\n"}
    monkeypatch.setattr(generate_docs, "pages", lambda: pages)
    with pytest.raises(CommandError, match="1 files differ from the code"):
        call_command("generate_docs", check=True)
    assert "+# Other topics" in capsys.readouterr().out


def test_every_schema_is_a_valid_json_schema_under_the_path_that_messages_name() -> None:
    for topic in BUSINESS_TOPICS:
        schema = value_schema(topic)
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["$id"] == f"/api/schemas/{topic.name}.v1.json"
        assert (Path("docs/schemas") / f"{topic.name}.v1.json").is_file()


@pytest.mark.parametrize(("quantity", "valid"), [(1, True), (0, False), (1.5, False), ("2", False)])
def test_a_schema_refuses_what_the_structure_refuses(quantity: object, valid: bool) -> None:
    (topic,) = (topic for topic in BUSINESS_TOPICS if topic.value is InventoryReserve)
    item = dict.fromkeys(Item.__struct_encode_fields__, "1") | {"quantity": quantity}
    value = {"orderId": "a", "orderNumber": "b", "items": [item], "timestamp": "2026-01-01T00:00:00Z"}
    assert jsonschema.Draft202012Validator(value_schema(topic)).is_valid(value) is valid
    try:
        msgspec.convert(value, InventoryReserve)
    except msgspec.ValidationError:
        assert not valid
    else:
        assert valid
