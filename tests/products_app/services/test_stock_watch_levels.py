"""Which changes are falls: decided by what was written, not by when or in how many batches it is read."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from bson import ObjectId, Timestamp
from hypothesis import given
from hypothesis import strategies as st

from products_app.documents.stock_watch import Watched
from products_app.services.stock_watch.levels import Change, Outcome, apply

PRODUCTS = (ObjectId(), ObjectId())
NOW = datetime(2026, 1, 1, tzinfo=UTC)

Level = tuple[int, int]
"""Stock and bound of a product."""


class Write(NamedTuple):
    """A write of one product; `kind` says what the change stream tells of it."""

    product: int
    kind: str
    stock: int
    bound: int


few = st.integers(0, 4)
writes = st.lists(
    st.builds(
        Write, st.integers(0, 1), st.sampled_from(["stock", "stock", "bound", "whole", "delete"]), few, few
    )
)


def as_changes(made: list[Write]) -> tuple[list[Change], list[tuple[ObjectId, int]]]:
    """What the watch reads, and the falls: product and number of the write."""
    levels: dict[int, Level] = {}
    changes, falls = [], []
    for number, write in enumerate(made, start=1):
        before = levels.get(write.product)
        if write.kind == "delete":
            levels.pop(write.product, None)
        elif write.kind == "whole" or before is None:
            levels[write.product] = write.stock, write.bound
        else:
            levels[write.product] = (
                (write.stock, before[1]) if write.kind == "stock" else (before[0], write.bound)
            )
        after = levels.get(write.product)
        fields: dict[str, Any] | None = None
        has_all_fields = write.kind != "stock" or before is None
        if after:
            fields = (
                {"name": "Lantern", "stock": after[0], "lowStockAt": after[1]}
                if has_all_fields
                else {"stock": after[0]}
            )
        product = PRODUCTS[write.product]
        changes.append(Change(product, Timestamp(1, number), NOW, fields, has_all_fields=has_all_fields))
        if after and after[0] < after[1] and not (before and before[0] < before[1]):
            falls.append((product, number))
    return changes, falls


@given(writes, st.lists(st.integers(1, 5), min_size=1))
def test_every_fall_is_found_once_however_the_changes_are_cut_into_batches(
    made: list[Write], sizes: list[int]
) -> None:
    changes, falls = as_changes(made)
    watched: Watched = {}
    found: list[Outcome] = []
    while changes:
        size = sizes[len(found) % len(sizes)]
        batch, changes = changes[:size], changes[size:]
        found.append(apply(batch, watched))
    told = [fall.id for outcome in found for fall in outcome.falls]
    assert told == [f"{product}:1.{number}" for product, number in falls]


def test_what_a_transaction_wrote_in_between_is_no_fall() -> None:
    lamp, at = PRODUCTS[0], Timestamp(1, 1)
    whole = {"name": "Lantern", "stock": 5, "lowStockAt": 3}
    watched: Watched = {}
    apply([Change(lamp, Timestamp(1, 0), NOW, whole, has_all_fields=True)], watched)
    changes = [Change(lamp, at, NOW, fields) for fields in ({"stock": 1}, {"stock": 5}, {"name": "Torch"})]
    outcome = apply(changes, watched)
    assert outcome.falls == []
    assert watched[lamp].name == "Torch"
    last = apply(
        [Change(lamp, Timestamp(1, 2), NOW, fields) for fields in ({"stock": 5}, {"stock": 2})], watched
    )
    assert [(fall.stock, fall.product_name) for fall in last.falls] == [(2, "Torch")]
