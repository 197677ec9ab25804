"""What the new code makes of MongoDB's collections keeps the old code working (docs/upgrading.md).

The folder `collections_of_versions` has what each version made: its validator and its indexes. A new version
adds a file, by the statement in `recorded`; a file that is there never changes.
"""

import copy
from pathlib import Path
from typing import Any

import pytest
from bson import json_util

from products_app.documents.ledger import ledger_collection
from products_app.documents.movements import movement_collection
from products_app.documents.product import RETIRED_INDEXES, product_collection, validator

Recorded = dict[str, Any]
FOLDER = Path(__file__).parent / "collections_of_versions"
VERSIONS = sorted(FOLDER.glob("*.json"))
WITHOUT_MEANING = ("v", "ns", "background")


def recorded() -> Recorded:
    """What the code of today makes; `json_util.dumps(recorded(), indent=1)` is the file of a version."""
    return {
        "validator": validator()["$jsonSchema"],
        "indexes": {
            each.name: {
                name: {key: value for key, value in options.items() if key not in WITHOUT_MEANING}
                for name, options in each.index_information().items()
            }
            for each in (product_collection(), ledger_collection(), movement_collection())
        },
    }


def broken_rules(earlier: Recorded, today: Recorded) -> list[str]:
    """What the earlier version would miss, or would be refused, if it worked on what is made today."""
    old, new = earlier["validator"], today["validator"]
    required = [f"{name} is required now" for name in new["required"] if name not in old["required"]]
    changed = [
        f"the rule for {name} has changed"
        for name, rule in new["properties"].items()
        if json_util.dumps(old["properties"].get(name)) != json_util.dumps(rule)
    ]
    missing = [
        f"the index {collection}.{name} is gone or has changed"
        for collection, indexes in earlier["indexes"].items()
        for name, options in indexes.items()
        if name not in RETIRED_INDEXES and today["indexes"][collection].get(name) != options
    ]
    unique = [
        f"the index {collection}.{name} is unique"
        for collection, indexes in today["indexes"].items()
        for name, options in indexes.items()
        if options.get("unique") and name not in earlier["indexes"].get(collection, {})
    ]
    return [*required, *changed, *missing, *unique]


@pytest.mark.usefixtures("clean_catalogue")
@pytest.mark.parametrize("path", VERSIONS[-1:], ids=lambda path: path.stem)
def test_the_version_before_works_on_the_collections_of_today(path: Path) -> None:
    assert broken_rules(json_util.loads(path.read_text()), json_loaded(recorded())) == []


def json_loaded(found: Recorded) -> Recorded:
    """As it would be read from the file of a version."""
    read: Recorded = json_util.loads(json_util.dumps(found))
    return read


def test_each_change_that_the_version_before_does_not_survive_is_named() -> None:
    earlier: Recorded = json_util.loads(VERSIONS[-1].read_text())
    today = copy.deepcopy(earlier)
    today["validator"]["required"].append("sku")
    today["validator"]["properties"]["stock"]["maximum"] = 9
    today["validator"]["properties"]["brand"] = {"bsonType": "string"}
    del today["indexes"]["products"]["searchWords_1"]
    today["indexes"]["products"]["name_1"] = {"key": [["name", 1]], "unique": True}
    assert broken_rules(earlier, today) == [
        "sku is required now",
        "the rule for stock has changed",
        "the rule for brand has changed",
        "the index products.searchWords_1 is gone or has changed",
        "the index products.name_1 is unique",
    ]


def test_an_index_that_was_retired_may_go() -> None:
    earlier: Recorded = json_util.loads(VERSIONS[-1].read_text())
    earlier["indexes"]["products"]["price_1"] = {"key": [["price", 1]]}
    assert broken_rules(earlier, json_util.loads(VERSIONS[-1].read_text())) == []
