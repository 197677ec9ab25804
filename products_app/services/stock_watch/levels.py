"""Decides in memory which products have fallen, by their changes alone; without database or clock.

The same products and changes always give the same falls, with the same ids.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId, Timestamp
from msgspec import Struct
from msgspec.structs import replace

from products_app.documents.reading import is_count, is_name
from products_app.documents.stock_watch import Fall, Watched, WatchedProduct

WATCHED_FIELDS = ("name", "stock", "lowStockAt")
"""The fields of a product that the watch reads."""

Document = Mapping[str, Any]


class Change(Struct, frozen=True):
    """One write of a product.

    `fields` has those of WATCHED_FIELDS that it set, or all of them where it `has_all_fields`.
    It is None where the product was deleted. `at` is the time of the write in MongoDB's order of all writes.
    """

    product: ObjectId
    at: Timestamp
    time: datetime
    fields: Document | None
    has_all_fields: bool = False


class Outcome(Struct, frozen=True):
    """The effect of changes: products to be stored anew (None: forgotten), and falls to be told."""

    changed: dict[ObjectId, WatchedProduct | None]
    falls: list[Fall]

    def __bool__(self) -> bool:
        return bool(self.changed)


def apply(changes: Iterable[Change], watched: Watched) -> Outcome:
    """Bring `watched` up to date with these changes, which are in their order."""
    outcome = Outcome({}, [])
    for change in _as_committed(changes):
        before = watched.get(change.product)
        after = _after(change, before)
        if after == before:
            continue
        outcome.changed[change.product] = after
        if after is None:
            del watched[change.product]
            continue
        watched[change.product] = after
        if after.is_low and not (before and before.is_low):
            outcome.falls.append(_fall(change, after))
    return outcome


def _as_committed(changes: Iterable[Change]) -> Iterable[Change]:
    """The changes, all writes of a transaction to a product as one: only their end was ever visible."""
    merged: dict[tuple[ObjectId, Timestamp], Change] = {}
    for change in changes:
        write = change.product, change.at
        earlier = merged.get(write)
        if earlier and earlier.fields and change.fields and not change.has_all_fields:
            merged[write] = replace(earlier, fields={**earlier.fields, **change.fields})
        else:
            merged[write] = change
    return merged.values()


def _after(change: Change, before: WatchedProduct | None) -> WatchedProduct | None:
    """The product after the change; None where it is not watched any more."""
    if change.fields is None:
        return None
    if change.has_all_fields:
        return _whole(change.product, change.fields, before)
    if before is None:
        return None
    name, stock = change.fields.get("name"), change.fields.get("stock")
    if is_name(name):
        before = replace(before, name=name)
    return replace(before, is_low=stock < before.low_stock_at) if is_count(stock) else before


def _whole(product: ObjectId, fields: Document, before: WatchedProduct | None) -> WatchedProduct | None:
    """A product whose fields are all known. A stock that cannot be read leaves it as low as it was."""
    name, stock, low_stock_at = map(fields.get, WATCHED_FIELDS)
    if not is_count(low_stock_at) or not low_stock_at:
        return None
    was_low = before is not None and before.is_low
    is_low = stock < low_stock_at if is_count(stock) else was_low
    return WatchedProduct(name if is_name(name) else str(product), int(low_stock_at), is_low)


def _fall(change: Change, after: WatchedProduct) -> Fall:
    assert change.fields is not None, "a deleted product falls no more"
    product = str(change.product)
    return Fall(
        id=f"{product}:{change.at.time}.{change.at.inc}",
        product_id=product,
        product_name=after.name,
        stock=int(change.fields["stock"]),
        low_stock_at=after.low_stock_at,
        time=change.time,
    )
