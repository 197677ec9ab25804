"""Reads the stock of one product: its counts, its movements, and the pieces that orders hold."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId
from django.contrib.auth.models import User
from msgspec import Struct

from products_app.documents.connection import translating_mongodb_errors
from products_app.documents.ledger import LedgerEntry, external_holds_of, ledger_collection
from products_app.documents.movements import Movement, movement_collection
from products_app.documents.reading import Product, is_whole
from products_app.selectors import get_product
from web.bounded_count import Count


class CountChange(Struct, frozen=True, rename={"before": "from", "after": "to"}):
    """A count before and after a movement."""

    before: int
    after: int


class StockMovement(Struct, frozen=True):
    """A movement as the API shows it.

    `kind` is initial, receipt, adjustment or correction; `changes` has `stock` and `received`; `actor` is
    `staff:<user id>` or `service:<name>`.
    """

    id: str
    kind: str
    quantity: int
    reason: str
    time: datetime
    actor: str
    changes: dict[str, CountChange]


class StockCounts(Struct, frozen=True, rename="camel"):
    """What can be sold of a product, what was ever received, and what orders hold."""

    product_id: str
    product_name: str
    stock: int
    received: int
    held: int
    low_stock_at: int
    low_stock: bool


class HeldLine(Struct, frozen=True):
    """The pieces of one product that an order holds, since its ledger entry was last written."""

    order_id: str
    quantity: int
    since: datetime | None


def get_stock_counts(*, product_id: str) -> StockCounts:
    """The counts of a product. Raises ProductNotFound, ProductUnreadable or CatalogueUnavailable."""
    return stock_counts_of(get_product(product_id=product_id, include_inactive=True))


def stock_counts_of(product: Product) -> StockCounts:
    """The counts of a product that was read."""
    return StockCounts(
        product_id=product.id,
        product_name=product.name,
        stock=product.stock,
        received=product.stock + product.held,
        held=product.held,
        low_stock_at=product.low_stock_at,
        low_stock=product.low_stock,
    )


class MovementsOf:
    """The movements of a product, newest first: sliced and counted. Both raise CatalogueUnavailable."""

    def __init__(self, product_id: str) -> None:
        self._of_product = {"product": ObjectId(product_id)}

    def bounded_count(self, limit: int) -> Count:
        """How many there are, at most one more than `limit`."""
        with translating_mongodb_errors():
            counted = movement_collection().count_documents(self._of_product, limit=limit + 1)
        return Count(counted, is_exact=counted <= limit)

    def __getitem__(self, page: slice) -> list[StockMovement]:
        start = page.start or 0
        with translating_mongodb_errors():
            found = movement_collection().find(self._of_product).sort("number", -1)
            return [shown_movement(each) for each in found.skip(start).limit(page.stop - start)]


def shown_movement(movement: Movement) -> StockMovement:
    """A movement as the API shows it."""
    received = movement["received"]
    return StockMovement(
        id=str(movement["_id"]),
        kind=movement["kind"],
        quantity=movement["quantity"],
        reason=movement["reason"],
        time=movement["at"],
        actor=movement["actor"],
        changes={
            "stock": CountChange(movement["stockBefore"], movement["stock"]),
            "received": CountChange(received - movement["quantity"], received),
        },
    )


def find_actor_names(movements: Iterable[StockMovement]) -> dict[str, str]:
    """The names that the staff who made these movements have now, by actor; a deleted user has none."""
    actors = {each.actor: each.actor.removeprefix("staff:") for each in movements}
    ids = [int(key) for actor, key in actors.items() if key != actor and key.isdecimal()]
    return {f"staff:{user.pk}": user.get_username() for user in User.objects.filter(pk__in=ids)}


class ExternalHolds:
    """The orders of external services that hold pieces of a product, newest first: sliced and counted.

    Both raise CatalogueUnavailable.
    """

    def __init__(self, product_id: str) -> None:
        self._product_id = product_id
        self._conditions = external_holds_of(product_id)

    def bounded_count(self, limit: int) -> Count:
        """How many there are, at most one more than `limit`."""
        with translating_mongodb_errors():
            counted = ledger_collection().count_documents(self._conditions, limit=limit + 1)
        return Count(counted, is_exact=counted <= limit)

    def __getitem__(self, page: slice) -> list[HeldLine]:
        start = page.start or 0
        with translating_mongodb_errors():
            found = ledger_collection().find(self._conditions).sort([("updatedAt", -1), ("_id", -1)])
            return [held_line(each, self._product_id) for each in found.skip(start).limit(page.stop - start)]


def find_held_lines(*, product_id: str, order_ids: Collection[str]) -> Mapping[str, HeldLine]:
    """What these orders hold of a product, by order id; an order without a ledger entry is left out.

    Raises CatalogueUnavailable.
    """
    fields = {f"lines.{product_id}.held": 1, "updatedAt": 1}
    with translating_mongodb_errors():
        found = ledger_collection().find({"_id": {"$in": list(order_ids)}}, fields)
        return {entry["_id"]: held_line(entry, product_id) for entry in found}


def held_line(entry: LedgerEntry, product_id: str) -> HeldLine:
    """What an entry holds of a product; nothing where that was written by hand and cannot be read."""
    lines: Any = entry.get("lines")
    line = lines.get(product_id) if isinstance(lines, dict) else None
    held = line.get("held") if isinstance(line, dict) else None
    return HeldLine(str(entry["_id"]), held if is_whole(held) else 0, entry.get("updatedAt"))
