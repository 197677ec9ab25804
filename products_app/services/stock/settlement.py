"""Computes the answers to a batch of stock requests in memory, without database or clock.

The same products, entries and requests always give the same answers. docs/stock.md lists the cases.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, to_builtins

from foundation.refusals import Refusal
from products_app.documents.ledger import LedgerEntry, LedgerLine, RecordedRelease
from products_app.exceptions import (
    AlreadyRejected,
    AlreadyReleased,
    InsufficientStock,
    ProductInactive,
    ProductNotFound,
    QuantityConflict,
    ReservedByAnother,
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


class ProductStock(Struct):
    """The stock of one product while a batch is settled in memory.

    `stock_stored` is in MongoDB, `stock` is what the batch leaves. `has_received`: the document has the field
    `received`. Where the stock in the document is no number, `is_counted` is false, and both are 0.
    """

    product_id: str
    name: str
    is_active: bool
    is_counted: bool
    has_received: bool
    stock_stored: int
    stock: int


class Settlement:
    """Answers requests one after another and changes `products` and `entries` accordingly.

    `products` is keyed by product id, in every spelling that the requests use; `entries` by order id.
    Afterwards the caller writes the entries in `changed`, and each product whose `stock` differs from
    `stock_stored`. `repeated` is how many requests of whole orders had their answer before.
    """

    def __init__(self, products: Mapping[str, ProductStock], entries: dict[str, LedgerEntry]) -> None:
        self.changed: dict[str, LedgerEntry] = {}
        self.repeated = 0
        self._products = products
        self._entries = entries

    def answer(self, request: StockRequest) -> StockAnswer:
        """Answer one request on the state that the earlier requests have left."""
        answer = self._answer(request)
        entry = self.changed.get(request.order_id)
        if entry is not None and "externalHolds" in entry:
            entry["externalHolds"] = [each for each, line in entry["lines"].items() if line["held"]]
        return answer

    def _answer(self, request: StockRequest) -> StockAnswer:
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
            return self._repeat(entry)
        entry = self._entry_to_change(request.order_id, is_external=request.is_external)
        if not request.is_external:
            entry.pop("externalHolds", None)
        wanted = self._sum_by_product(request.lines)
        lines = entry["lines"]
        if lines and any("returns" in lines[product_id] for product_id in lines.keys() & wanted.keys()):
            return self._release_order(entry)
        if shortages := self._shortages(entry, wanted):
            return self._reject_order(entry, shortages)
        for product_id, quantity in wanted.items():
            self._hold_quantity(entry, product_id, quantity)
        entry["status"] = "reserved"
        return reserved_answer(entry)

    def _release(self, request: Release) -> OrderAnswer:
        entry = self._entries.get(request.order_id)
        if entry is not None and entry["status"] == "rejected":
            return InventoryReleased(request.order_id, [])
        if entry is not None and entry["status"] == "released":
            return self._repeat(entry)
        return self._release_order(self._entry_to_change(request.order_id))

    def _repeat(self, entry: LedgerEntry) -> OrderAnswer:
        self.repeated += 1
        return recorded_answer(entry)

    def _reserve_line(self, request: ReserveLine) -> LineReserved | Refusal:
        product = self._products.get(request.product_id)
        if product is None:
            return ProductNotFound(request.product_id)
        entry = self._entries.get(request.order_id)
        line = entry["lines"].get(product.product_id) if entry else None
        if refusal := line_refusal(request, product, entry, line):
            return refusal
        if line is None:
            entry = self._entry_to_change(request.order_id, is_external=True)
            line = self._hold_quantity(entry, product.product_id, request.quantity)
            line["apart"] = True
            line["key"] = request.key
        return LineReserved(
            product.product_id, product.name, line["quantity"], line["newStock"], request.order_id
        )

    def _release_line(self, request: ReleaseLine) -> LineReleased | Refusal:
        product = self._products.get(request.product_id)
        if product is None:
            return ProductNotFound(request.product_id)
        entry = self._entries.get(request.order_id)
        line = entry["lines"].get(product.product_id) if entry else None
        if refusal := ownership_refusal(request, line):
            return refusal
        release = find_recorded_release(line, request.quantity) or self._release_held_part(request, product)
        return LineReleased(
            product.product_id, product.name, release["returned"], release["newStock"], request.order_id
        )

    def _entry_to_change(self, order_id: str, *, is_external: bool = False) -> LedgerEntry:
        """The entry of the order, created if missing, and marked as changed."""
        entry = self._entries.get(order_id)
        if entry is None:
            entry = self._entries[order_id] = {"_id": order_id, "status": "open", "lines": {}}
            if is_external:
                entry["externalHolds"] = []
        self.changed[order_id] = entry
        return entry

    def _sum_by_product(self, lines: Iterable[Line]) -> dict[str, int]:
        wanted: dict[str, int] = {}
        for line in lines:
            product = self._products.get(line.product_id)
            product_id = product.product_id if product else line.product_id
            wanted[product_id] = wanted.get(product_id, 0) + line.quantity
        return wanted

    def _shortages(self, entry: LedgerEntry, wanted: Mapping[str, int]) -> list[Shortage]:
        shortages = []
        for product_id, quantity in wanted.items():
            held = entry["lines"][product_id]["held"] if product_id in entry["lines"] else 0
            product = self._products.get(product_id)
            if code := rejection_code(product, quantity - held):
                available = product.stock + held if product and product.is_active else 0
                shortages.append(Shortage(product_id, code, quantity, available))
        return shortages

    def _hold_quantity(self, entry: LedgerEntry, product_id: str, quantity: int) -> LedgerLine:
        """Make the order hold `quantity` of the product; the stock changes by the difference."""
        before = entry["lines"].get(product_id)
        if before is not None and before["held"] == quantity:
            before.pop("apart", None)
            return before
        product = self._products[product_id]
        product.stock -= quantity - (before["held"] if before else 0)
        line: LedgerLine = {"quantity": quantity, "held": quantity, "newStock": product.stock}
        entry["lines"][product_id] = line
        return line

    def _reject_order(self, entry: LedgerEntry, shortages: list[Shortage]) -> OrderAnswer:
        """Release what the order holds and record the rejection, which is final."""
        self._give_back_all(entry)
        entry["status"] = "rejected"
        entry["failures"] = to_builtins(shortages)
        return InventoryRejected(entry["_id"], shortages)

    def _release_order(self, entry: LedgerEntry) -> OrderAnswer:
        """Release what the order holds and record the release, which is final."""
        returned = self._give_back_all(entry)
        entry["status"] = "released"
        entry["returned"] = to_builtins(returned)
        return InventoryReleased(entry["_id"], returned)

    def _give_back_all(self, entry: LedgerEntry) -> list[StockLine]:
        return [
            StockLine(product_id, held, self._give_back(product_id, line, held))
            for product_id, line in entry["lines"].items()
            if (held := line["held"])
        ]

    def _release_held_part(self, request: ReleaseLine, product: ProductStock) -> RecordedRelease:
        """Release at most what the line holds, and record it.

        A line that was never reserved gets quantity 0, so that a reserve that arrives later is refused.
        """
        lines = self._entry_to_change(request.order_id)["lines"]
        never_reserved: LedgerLine = {"quantity": 0, "held": 0, "newStock": product.stock, "apart": True}
        line = lines.setdefault(product.product_id, never_reserved)
        returned = min(request.quantity, line["held"])
        release: RecordedRelease = {
            "quantity": request.quantity,
            "returned": returned,
            "newStock": self._give_back(product.product_id, line, returned),
        }
        line.setdefault("returns", []).append(release)
        return release

    def _give_back(self, product_id: str, line: LedgerLine, quantity: int) -> int:
        """Give pieces back; the new stock, 0 if the product was deleted or its stock is no number."""
        line["held"] -= quantity
        product = self._products.get(product_id)
        if product is None or not product.is_counted:
            return 0
        product.stock += quantity
        return max(0, product.stock)  # another program can have made it negative


def rejection_code(product: ProductStock | None, missing: int) -> RejectionCode | None:
    """Why `missing` more pieces of the product cannot be reserved; None if they can."""
    if product is None:
        return "PRODUCT_NOT_FOUND"
    if missing <= 0:
        return None
    if not product.is_active:
        return "PRODUCT_INACTIVE"
    return "INSUFFICIENT_STOCK" if product.stock < missing else None


def line_refusal(
    request: LineRequest, product: ProductStock, entry: LedgerEntry | None, line: LedgerLine | None
) -> Refusal | None:
    """Why the line cannot be reserved; None if it can, or if the order has reserved it already."""
    if line is not None:
        return repeated_line_refusal(request, line)
    if entry is not None and entry["status"] == "released":
        return AlreadyReleased(request.order_id)
    if entry is not None and entry["status"] == "rejected":
        return AlreadyRejected(request.order_id)
    if not product.is_active:
        return ProductInactive(product.product_id)
    if product.stock < request.quantity:
        return InsufficientStock(product.product_id, requested=request.quantity, available=product.stock)
    return None


def repeated_line_refusal(request: LineRequest, line: LedgerLine) -> Refusal | None:
    """Why the request cannot get the answer recorded for `line`; None if it can."""
    if not line["quantity"]:
        return AlreadyReleased(request.order_id)
    if line["quantity"] != request.quantity:
        return QuantityConflict(
            request.order_id, request.product_id, requested=request.quantity, reserved=line["quantity"]
        )
    return ownership_refusal(request, line)


def ownership_refusal(request: LineRequest, line: LedgerLine | None) -> Refusal | None:
    """Why a key may not touch the line: a message or another key has reserved it. None if it may.

    Lines that were reserved over HTTP before keys were recorded are open to every key.
    """
    if not line or not line["quantity"]:
        return None
    owner = line.get("key")
    if owner == request.key or (owner is None and "apart" in line):
        return None
    return ReservedByAnother(request.order_id, request.product_id, by_message=owner is None)


def find_recorded_release(line: LedgerLine | None, quantity: int) -> RecordedRelease | None:
    """The record of an earlier release of this quantity of the line, if there is one."""
    releases = line.get("returns", []) if line else []
    return next((release for release in releases if release["quantity"] == quantity), None)
