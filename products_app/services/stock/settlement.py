"""One batch of stock requests folded in memory: no database, no clock, the same answers for the same input.

docs/stock.md tells what is answered in which case.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, to_builtins

from products_app.documents.ledger import LedgerEntry, LedgerLine, LedgerReturn
from products_app.exceptions import (
    AlreadyRejected,
    AlreadyReleased,
    InsufficientStock,
    ProductInactive,
    ProductNotFound,
    QuantityConflict,
    Refusal,
)
from products_app.messages import InventoryRejected, InventoryReleased, RejectionCode, Shortage, StockLine
from products_app.services.stock.recorded_answers import OrderAnswer, recorded_answer, reserved_answer
from products_app.services.stock.requests import (
    Line,
    LineReleased,
    LineRequest,
    LineReserved,
    Release,
    ReleaseLine,
    Reserve,
    ReserveLine,
    StockAnswer,
    StockRequest,
)


class Shelf(Struct):
    """A product while a batch is folded: `stock_read` is what was there before, `stock` what will be left.

    `is_counted`: the catalogue knows how much of it was received.
    """

    product_id: str
    name: str
    is_active: bool
    is_counted: bool
    stock_read: int
    stock: int


class Settlement:
    """Answers requests one after another, changing shelves and entries as it goes.

    `shelves` are found by their id and by any other spelling of it that the requests use; `entries` by
    order id. Afterwards the entries in `changed` have to be written, and the stock that is not `stock_read`.
    """

    def __init__(self, shelves: Mapping[str, Shelf], entries: dict[str, LedgerEntry]) -> None:
        self.changed: dict[str, LedgerEntry] = {}
        self._shelves = shelves
        self._entries = entries

    def answer(self, request: StockRequest) -> StockAnswer:
        """The answer to one request, given all that was answered before."""
        match request:
            case Reserve():
                return self._reserve(request)
            case Release():
                return self._release(request)
            case ReserveLine():
                return self._reserve_line(request)
            case ReleaseLine():
                return self._release_line(request)

    def _reserve(self, request: Reserve) -> OrderAnswer:
        entry = self._entries.get(request.order_id)
        if entry is not None and entry["status"] != "open":
            return recorded_answer(entry)
        entry = self._change(request.order_id)
        wanted = self._sum_by_product(request.lines)
        if any("returns" in line for product_id, line in entry["lines"].items() if product_id in wanted):
            return self._close(entry)
        if shortages := self._shortages(entry, wanted):
            return self._reject(entry, shortages)
        for product_id, quantity in wanted.items():
            self._hold(entry, product_id, quantity)
        entry["status"] = "reserved"
        return reserved_answer(entry)

    def _release(self, request: Release) -> OrderAnswer:
        entry = self._entries.get(request.order_id)
        if entry is not None and entry["status"] == "rejected":
            return InventoryReleased(request.order_id, [])
        if entry is not None and entry["status"] == "released":
            return recorded_answer(entry)
        return self._close(self._change(request.order_id))

    def _reserve_line(self, request: ReserveLine) -> LineReserved | Refusal:
        shelf = self._shelves.get(request.product_id)
        if shelf is None:
            return ProductNotFound(request.product_id)
        entry = self._entries.get(request.order_id)
        line = entry["lines"].get(shelf.product_id) if entry else None
        if refusal := refuse_line(request, shelf, entry, line):
            return refusal
        if line is None:
            line = self._hold(self._change(request.order_id), shelf.product_id, request.quantity)
            line["apart"] = True
        return LineReserved(
            shelf.product_id, shelf.name, line["quantity"], line["newStock"], request.order_id
        )

    def _release_line(self, request: ReleaseLine) -> LineReleased | Refusal:
        shelf = self._shelves.get(request.product_id)
        if shelf is None:
            return ProductNotFound(request.product_id)
        entry = self._entries.get(request.order_id)
        line = entry["lines"].get(shelf.product_id) if entry else None
        done = find_return(line, request.quantity) or self._return_line(request, shelf)
        return LineReleased(
            shelf.product_id, shelf.name, done["returned"], done["newStock"], request.order_id
        )

    def _change(self, order_id: str) -> LedgerEntry:
        """The entry of the order, a new one if need be, to be written afterwards."""
        entry = self._entries.setdefault(order_id, {"_id": order_id, "status": "open", "lines": {}})
        self.changed[order_id] = entry
        return entry

    def _sum_by_product(self, lines: Iterable[Line]) -> dict[str, int]:
        wanted: dict[str, int] = {}
        for line in lines:
            shelf = self._shelves.get(line.product_id)
            product_id = shelf.product_id if shelf else line.product_id
            wanted[product_id] = wanted.get(product_id, 0) + line.quantity
        return wanted

    def _shortages(self, entry: LedgerEntry, wanted: Mapping[str, int]) -> list[Shortage]:
        shortages = []
        for product_id, quantity in wanted.items():
            held = entry["lines"][product_id]["held"] if product_id in entry["lines"] else 0
            shelf = self._shelves.get(product_id)
            if code := rejection(shelf, quantity - held):
                available = shelf.stock + held if shelf and shelf.is_active else 0
                shortages.append(Shortage(product_id, code, quantity, available))
        return shortages

    def _hold(self, entry: LedgerEntry, product_id: str, quantity: int) -> LedgerLine:
        """Bring what the order holds of the product to `quantity`."""
        before = entry["lines"].get(product_id)
        if before is not None and before["held"] == quantity:
            before.pop("apart", None)
            return before
        shelf = self._shelves[product_id]
        shelf.stock -= quantity - (before["held"] if before else 0)
        line: LedgerLine = {"quantity": quantity, "held": quantity, "newStock": shelf.stock}
        entry["lines"][product_id] = line
        return line

    def _reject(self, entry: LedgerEntry, shortages: list[Shortage]) -> OrderAnswer:
        """Hold nothing of the order, for good."""
        self._give_back_rest(entry)
        entry["status"] = "rejected"
        entry["failures"] = to_builtins(shortages)
        return InventoryRejected(entry["_id"], shortages)

    def _close(self, entry: LedgerEntry) -> OrderAnswer:
        """Give back what the order holds and let it hold nothing any more."""
        returned = self._give_back_rest(entry)
        entry["status"] = "released"
        entry["returned"] = to_builtins(returned)
        return InventoryReleased(entry["_id"], returned)

    def _give_back_rest(self, entry: LedgerEntry) -> list[StockLine]:
        return [
            StockLine(product_id, held, self._give_back(product_id, line, held))
            for product_id, line in entry["lines"].items()
            if (held := line["held"])
        ]

    def _return_line(self, request: ReleaseLine, shelf: Shelf) -> LedgerReturn:
        """Give back a part of the line, or leave a tombstone where there is no line."""
        lines = self._change(request.order_id)["lines"]
        tombstone: LedgerLine = {"quantity": 0, "held": 0, "newStock": shelf.stock, "apart": True}
        line = lines.setdefault(shelf.product_id, tombstone)
        returned = min(request.quantity, line["held"])
        done: LedgerReturn = {
            "quantity": request.quantity,
            "returned": returned,
            "newStock": self._give_back(shelf.product_id, line, returned),
        }
        line.setdefault("returns", []).append(done)
        return done

    def _give_back(self, product_id: str, line: LedgerLine, quantity: int) -> int:
        """The stock afterwards; 0 where the product itself is gone."""
        line["held"] -= quantity
        shelf = self._shelves.get(product_id)
        if shelf is None:
            return 0
        shelf.stock += quantity
        return shelf.stock


def rejection(shelf: Shelf | None, missing: int) -> RejectionCode | None:
    """Why `missing` more pieces cannot be taken off the shelf, if so."""
    if shelf is None:
        return "PRODUCT_NOT_FOUND"
    if missing <= 0:
        return None
    if not shelf.is_active:
        return "PRODUCT_INACTIVE"
    return "INSUFFICIENT_STOCK" if shelf.stock < missing else None


def refuse_line(
    request: LineRequest, shelf: Shelf, entry: LedgerEntry | None, line: LedgerLine | None
) -> Refusal | None:
    """Why the line cannot be reserved, if so; a line that the order has already is not judged again."""
    if line is not None:
        return refuse_again(request, line)
    if entry is not None and entry["status"] == "released":
        return AlreadyReleased(request.order_id)
    if entry is not None and entry["status"] == "rejected":
        return AlreadyRejected(request.order_id)
    if not shelf.is_active:
        return ProductInactive(shelf.product_id)
    if shelf.stock < request.quantity:
        return InsufficientStock(shelf.product_id, requested=request.quantity, available=shelf.stock)
    return None


def refuse_again(request: LineRequest, line: LedgerLine) -> Refusal | None:
    """Why a repeated request cannot get the recorded answer, if so."""
    if not line["quantity"]:
        return AlreadyReleased(request.order_id)
    if line["quantity"] != request.quantity:
        return QuantityConflict(
            request.order_id, request.product_id, requested=request.quantity, reserved=line["quantity"]
        )
    return None


def find_return(line: LedgerLine | None, quantity: int) -> LedgerReturn | None:
    """What was recorded when this quantity of the line was released, if it was."""
    returns = line.get("returns", []) if line else []
    return next((done for done in returns if done["quantity"] == quantity), None)
