"""The answer to an order as a whole, from its ledger entry: a repeated request gets the same answer."""

from msgspec import ValidationError, convert

from products_app.documents.ledger import LedgerEntry
from products_app.exceptions import EntryUnreadable
from products_app.messages import InventoryRejected, InventoryReleased, InventoryReserved, Shortage, StockLine

OrderAnswer = InventoryReserved | InventoryRejected | InventoryReleased


def recorded_answer(entry: LedgerEntry) -> OrderAnswer:
    """The answer that an entry records; its status must not be `open`. Raises EntryUnreadable."""
    try:
        return _read_answer(entry)
    except (KeyError, ValidationError) as error:
        raise EntryUnreadable(entry["_id"], f"its recorded answer: {error}") from error


def _read_answer(entry: LedgerEntry) -> OrderAnswer:
    match entry["status"]:
        case "reserved":
            return reserved_answer(entry)
        case "rejected":
            return InventoryRejected(entry["_id"], convert(entry["failures"], list[Shortage]))
        case _:
            return InventoryReleased(entry["_id"], convert(entry["returned"], list[StockLine]))


def reserved_answer(entry: LedgerEntry) -> InventoryReserved:
    """The lines that were reserved for the order as a whole."""
    lines = [
        StockLine(product_id, line["quantity"], line["newStock"])
        for product_id, line in entry["lines"].items()
        if "apart" not in line
    ]
    return InventoryReserved(entry["_id"], lines)
