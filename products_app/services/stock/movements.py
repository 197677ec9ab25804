"""Changes of `received`, each with a movement that says who made it, when and why (docs/stock.md).

Product and movement are written in one transaction. All that write movements of a product also write the
product, and MongoDB lets only one transaction at a time do so: its movements are numbered without a gap.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bson import ObjectId
from msgspec import Struct, field
from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError

from products_app.documents.connection import current_time
from products_app.documents.movements import (
    Movement,
    MovementKind,
    are_recorded,
    movement_collection,
    recorded_sums,
)
from products_app.documents.product import product_collection
from products_app.documents.reading import MAX_COUNT, is_name
from products_app.documents.transactions import WriteConflict, is_duplicate_key
from products_app.exceptions import InsufficientStock, StockTooHigh

STOCK_SERVICE = "service:stock"
"""The actor of changes that no person has asked for."""
_BEFORE_MOVEMENTS: tuple[MovementKind, str] = ("initial", "Received before movements were recorded.")
_FOUND_LATER: tuple[MovementKind, str] = ("correction", "Changed without a movement, and found later.")


class StockMove(Struct, frozen=True, kw_only=True):
    """A change of a product's stock and `received` by `quantity`; 0 changes neither.

    `document` is the product as it was read in the same transaction; its counts must be readable. `fields`
    are stored fields to be set by the same update. `key` is the caller and their idempotency key.
    """

    document: Mapping[str, Any]
    quantity: int
    kind: MovementKind
    reason: str
    fields: Mapping[str, Any] = {}
    key: str = ""
    id: ObjectId = field(default_factory=ObjectId)


def move_stock(session: ClientSession, moves: Sequence[StockMove], *, actor: str) -> list[Movement]:
    """Make these changes, at most one a product, and record them; the movements, of those with a quantity.

    What a product had before its movements were recorded becomes its first movement. Raises InsufficientStock
    where less than nothing would be left, StockTooHigh, WriteConflict, and BulkWriteError where `fields` have
    a SKU that is taken.
    """
    accounts = _open_accounts(session, [move.document for move in moves], actor)
    made = [account.change(move) for account, move in zip(accounts, moves, strict=True) if move.quantity]
    _write(session, accounts, [move.fields for move in moves])
    return made


def record_received(
    session: ClientSession, documents: Iterable[Mapping[str, Any]], *, actor: str = STOCK_SERVICE
) -> None:
    """Record what these products have received so far, where their movements are not recorded yet.

    The documents are as they were read in the same transaction. The stock of a product without `received`
    becomes that. Raises WriteConflict.
    """
    accounts = _open_accounts(session, [each for each in documents if not are_recorded(each)], actor)
    _write(session, accounts, [{}] * len(accounts))


def insert_products(
    session: ClientSession, documents: Sequence[dict[str, Any]], *, actor: str, reason: str
) -> None:
    """Insert new products; the first movement of each receives its stock. Completes the documents.

    Raises BulkWriteError where an id or a SKU is taken.
    """
    movements: list[Movement] = []
    for document in documents:
        account = _Account(document | {"stock": 0}, received=0, last=0, actor=actor)
        if document["stock"]:
            first = StockMove(document=document, quantity=document["stock"], kind="initial", reason=reason)
            account.change(first)
        document.update(account.counts)
        movements += account.movements
    if documents:
        product_collection().insert_many(documents, session=session)
    _insert_movements(session, movements)


class _Account:
    """The counts of one product while its movements are made.

    `received` is the sum of the movements so far, `last` the number of the last one.
    """

    def __init__(self, document: Mapping[str, Any], *, received: int, last: int, actor: str) -> None:
        self.product_id: ObjectId = document["_id"]
        self.movements: list[Movement] = []
        self._name = document["name"] if is_name(document.get("name")) else str(self.product_id)
        self._stock: int = document["stock"]
        self._received, self._last, self._actor = received, last, actor

    @property
    def counts(self) -> dict[str, int]:
        """The stored fields of the product after its movements."""
        return {"stock": self._stock, "received": self._received, "movements": self._last}

    def change(self, move: StockMove) -> Movement:
        """Change stock and received. Raises InsufficientStock or StockTooHigh."""
        if self._stock + move.quantity < 0:
            raise InsufficientStock(
                str(self.product_id), requested=-move.quantity, available=max(0, self._stock)
            )
        if self._received + move.quantity > MAX_COUNT:
            raise StockTooHigh(str(self.product_id))
        return self.record(move, stock=self._stock + move.quantity)

    def record(self, move: StockMove, *, stock: int) -> Movement:
        """Append a movement after which this is the stock."""
        before, self._stock = self._stock, stock
        self._received += move.quantity
        self._last += 1
        movement: Movement = {
            "_id": move.id,
            "product": self.product_id,
            "productName": self._name,
            "number": self._last,
            "kind": move.kind,
            "quantity": move.quantity,
            "stockBefore": before,
            "stock": stock,
            "received": self._received,
            "reason": move.reason,
            "actor": self._actor,
            "at": current_time(),
        }
        if move.key:
            movement["key"] = move.key
        self.movements.append(movement)
        return movement


def _open_accounts(
    session: ClientSession, documents: Sequence[Mapping[str, Any]], actor: str
) -> list[_Account]:
    """An account for each product; where its movements are not recorded, with its first one."""
    sums = recorded_sums([each["_id"] for each in documents if not are_recorded(each)], session)
    return [_open_account(document, sums, actor) for document in documents]


def _open_account(
    document: Mapping[str, Any], sums: Mapping[ObjectId, tuple[int, int]], actor: str
) -> _Account:
    if are_recorded(document):
        return _Account(document, received=document["received"], last=document["movements"], actor=actor)
    recorded, last = sums.get(document["_id"], (0, 0))
    account = _Account(document, received=recorded, last=last, actor=actor)
    if quantity := received_of(document) - recorded:
        kind, reason = _FOUND_LATER if last else _BEFORE_MOVEMENTS
        lacking = StockMove(document=document, quantity=quantity, kind=kind, reason=reason)
        account.record(lacking, stock=document["stock"])
    return account


def received_of(document: Mapping[str, Any]) -> int:
    """What a product has received: of one that was never counted, no order holds a piece."""
    received = document.get("received")
    return int(document["stock"] if received is None else received)


def _write(session: ClientSession, accounts: Sequence[_Account], fields: Sequence[Mapping[str, Any]]) -> None:
    """Write the products and their movements. Raises WriteConflict."""
    updates = [
        UpdateOne({"_id": account.product_id}, {"$set": {**more, **account.counts}})
        for account, more in zip(accounts, fields, strict=True)
    ]
    if updates:
        written = product_collection().bulk_write(updates, ordered=False, session=session)
        if written.matched_count != len(updates):
            raise WriteConflict
    _insert_movements(session, [movement for account in accounts for movement in account.movements])


def _insert_movements(session: ClientSession, movements: Sequence[Movement]) -> None:
    if not movements:
        return
    try:
        movement_collection().insert_many(movements, ordered=False, session=session)
    except BulkWriteError as error:
        if not is_duplicate_key(error):
            raise
        # Another transaction has used the same idempotency key; the next attempt finds its movement.
        raise WriteConflict from error
