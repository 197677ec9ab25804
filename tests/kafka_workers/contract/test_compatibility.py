"""Which changes of a schema are incompatible, and how `check_schemas` tells them."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from kafka_workers.contract.compatibility import incompatible_changes
from kafka_workers.contract.schemas import all_schemas
from kafka_workers.contract.topics import BUSINESS_TOPICS

NAME = "order.created.v1"
Change = Callable[[dict[str, Any]], object]


def changed(change: Change) -> dict[str, dict[str, Any]]:
    """The schemas of the code, with a change to that of `order.created`."""
    schemas = copy.deepcopy(all_schemas())
    change(schemas[NAME])
    return schemas


def remove(field: str) -> Change:
    def change(schema: dict[str, Any]) -> None:
        del schema["properties"][field]
        schema["required"] = [name for name in schema["required"] if name != field]

    return change


def add(field: str, form: dict[str, Any], *, required: bool) -> Change:
    def change(schema: dict[str, Any]) -> None:
        schema["properties"][field] = form
        schema["required"] += [field] if required else []

    return change


def rename(field: str, other: str) -> Change:
    def change(schema: dict[str, Any]) -> None:
        schema["properties"][other] = schema["properties"].pop(field)
        schema["required"] = [other if name == field else name for name in schema["required"]]

    return change


def give(part: Callable[[dict[str, Any]], dict[str, Any]], **keywords: object) -> Change:
    return lambda schema: part(schema).update(keywords)


def field(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda schema: schema["properties"][name]


def of_item(change: Change) -> Change:
    return lambda schema: change(schema["$defs"]["Item"])


INCOMPATIBLE: dict[str, tuple[Change, list[str]]] = {
    "a removed field": (remove("currency"), ["currency was removed"]),
    "a removed field of an item": (of_item(remove("price")), ["items[].price was removed"]),
    "a new required field": (
        add("channel", {"type": "string"}, required=True),
        ["channel is new and required"],
    ),
    "a new required field of an item": (
        of_item(add("weight", {"type": "number"}, required=True)),
        ["items[].weight is new and required"],
    ),
    "a renamed field": (rename("paymentMethod", "method"), ["paymentMethod was renamed to method"]),
    "a renamed field of an item": (
        of_item(rename("quantity", "pieces")),
        ["items[].quantity was renamed to items[].pieces"],
    ),
    "a field that is optional now": (
        lambda schema: schema["required"].remove("currency"),
        ["currency is not required now"],
    ),
    "another type": (
        give(field("paymentMethod"), type="string"),
        ["paymentMethod: type was integer and is string now"],
    ),
    "a narrower type": (
        of_item(give(field("price"), type=["string"], enum=["1.00"])),
        ["items[].price: allowed was any value and is ['1.00'] now"],
    ),
    "a type that may be null now": (
        give(field("userId"), type=["string", "null"]),
        ["userId: type was string and is string or null now"],
    ),
    "a shorter text": (give(field("orderId"), maxLength=32), ["orderId: maxLength was 64 and is 32 now"]),
    "a longer text": (give(field("orderId"), maxLength=99), ["orderId: maxLength was 64 and is 99 now"]),
    "a new limit": (
        give(field("paymentMethod"), minimum=1),
        ["paymentMethod: minimum was not given and is 1 now"],
    ),
    "fewer items": (give(field("items"), maxItems=10), ["items: maxItems was 1000 and is 10 now"]),
    "no unknown fields": (
        lambda schema: schema.update(additionalProperties=False),
        ["{}: type was any and is nothing now"],
    ),
    "several": (
        lambda schema: [remove("currency")(schema), add("channel", {}, required=True)(schema)],
        ["currency was removed", "channel is new and required"],
    ),
}


@pytest.mark.parametrize("case", INCOMPATIBLE)
def test_an_incompatible_change_is_named(case: str) -> None:
    change, expected = INCOMPATIBLE[case]
    found = incompatible_changes(all_schemas(), changed(change))
    assert found == [f"{NAME}: {sentence}" for sentence in expected]


def test_values_that_are_allowed_no_longer_or_newly_are_named() -> None:
    now = copy.deepcopy(all_schemas())
    code = now["inventory.rejected.v1"]["$defs"]["Shortage"]["properties"]["code"]
    code["enum"] = ["INSUFFICIENT_STOCK", "PRODUCT_INACTIVE", "PRODUCT_RECALLED"]
    assert incompatible_changes(all_schemas(), now) == [
        "inventory.rejected.v1: failures[].code: PRODUCT_NOT_FOUND is no longer allowed",
        "inventory.rejected.v1: failures[].code: PRODUCT_RECALLED is newly allowed",
    ]


def test_a_removed_schema_is_named_and_a_new_one_is_compatible() -> None:
    fewer = {name: schema for name, schema in all_schemas().items() if name != NAME}
    assert incompatible_changes(all_schemas(), fewer) == [f"{NAME}: the schema was removed"]
    assert incompatible_changes(fewer, all_schemas()) == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda schema: None, id="nothing"),
        pytest.param(add("channel", {"type": "string"}, required=False), id="an optional field"),
        pytest.param(of_item(add("category", {"type": "string"}, required=False)), id="one of an item"),
        pytest.param(lambda schema: schema.update(description="A sale."), id="other words"),
        pytest.param(lambda schema: schema["required"].reverse(), id="another order"),
        pytest.param(
            lambda schema: schema["properties"].update(userId={"anyOf": [{"type": "string"}]}),
            id="another way to say the same",
        ),
        pytest.param(
            lambda schema: [
                schema["$defs"].update(Line=schema["$defs"].pop("Item")),
                schema["properties"]["items"].update(items={"$ref": "#/$defs/Line"}),
            ],
            id="another name of a definition",
        ),
    ],
)
def test_a_compatible_change_is_not_named(change: Change) -> None:
    assert incompatible_changes(all_schemas(), changed(change)) == []


def test_a_schema_that_refers_to_itself_is_compared() -> None:
    tree = {
        "$ref": "#/$defs/Node",
        "$defs": {
            "Node": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "parts": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
                },
            }
        },
    }
    other = copy.deepcopy(tree)
    other["$defs"]["Node"]["properties"]["name"]["type"] = "integer"  # type: ignore[index]
    assert incompatible_changes({"a": tree}, {"a": tree}) == []
    assert incompatible_changes({"a": tree}, {"a": other}) == [
        "a: name: type was string and is integer now",
    ]


def written(folder: Path, schemas: dict[str, dict[str, Any]]) -> str:
    for name, schema in schemas.items():
        (folder / f"{name}.json").write_text(json.dumps(schema))
    return str(folder)


def test_the_command_compares_with_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # What the folder has beyond the code is what the code has lost.
    folder = written(tmp_path, changed(add("channel", {"type": "string"}, required=True)))
    with pytest.raises(CommandError, match=r"1 change$") as refused:
        call_command("check_schemas", against=folder)
    assert refused.value.returncode == 1
    assert capsys.readouterr().out == f"{NAME}: channel was removed\n"
    written(tmp_path, all_schemas())
    call_command("check_schemas", against=folder)
    assert f"{len(BUSINESS_TOPICS)} schemas" in capsys.readouterr().out


def test_the_command_says_when_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    dangling = tmp_path / "dangling"
    dangling.mkdir()
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / f"{NAME}.json").write_text("{")
    for against, sentence in {
        str(tmp_path): "has no schema",
        str(broken): "is no JSON",
        written(dangling, {NAME: {"$ref": "#/$defs/Gone"}}): "has no #/\\$defs/Gone",
        "no-such-commit": "is no folder, and no commit",
    }.items():
        with pytest.raises(CommandError, match=sentence) as refused:
            call_command("check_schemas", against=against)
        assert refused.value.returncode == 2
