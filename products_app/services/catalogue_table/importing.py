"""Puts the rows of a table into the catalogue, some hundred in a transaction; faults hinder no other row.

A row says what its product shall be, so a table that was imported in part can be imported again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from bson import ObjectId
from msgspec import Struct, field
from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError

from foundation.slices import slices
from products_app.documents.connection import current_time, object_id
from products_app.documents.product import ProductDocument, product_collection
from products_app.documents.reading import read_product
from products_app.documents.search_words import search_fields
from products_app.documents.transactions import WriteConflict, in_transaction, is_duplicate_key
from products_app.services.catalogue import changed_fields, stock_correction, stored_fields
from products_app.services.catalogue_table.cells import ID, SKU, STOCK
from products_app.services.catalogue_table.plan import Found, Planned, ReadCell, plan
from products_app.services.catalogue_table.rows import Row, RowFault, read_rows
from products_app.services.stock.movements import StockMove, insert_products, move_stock

PART_ROWS = 500
REASON = "Import of the catalogue."


class ImportReport(Struct, rename="camel"):
    """How many rows there were, and what has become of them; in a dry run, what would become of them."""

    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    faults: list[RowFault] = field(default_factory=list)

    @property
    def rows_with_faults(self) -> int:
        """How many rows have at least one fault."""
        return len({fault.line for fault in self.faults})


class Part(Struct):
    """The changes that some rows make. `lines` has the line of each product, by id and by SKU."""

    new: list[dict[str, Any]] = field(default_factory=list)
    moves: list[StockMove] = field(default_factory=list)
    updates: list[UpdateOne] = field(default_factory=list)
    unchanged: int = 0
    faults: list[RowFault] = field(default_factory=list)
    lines: dict[ObjectId | str, int] = field(default_factory=dict)


def import_catalogue(
    lines: Iterable[str],
    *,
    read_cell: ReadCell,
    actor: str,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> ImportReport:
    """Create and change products as the rows say. Calls `progress` with the number of rows so far.

    `lines` have their ends as in the file; `actor` is who made the movements of the stock.
    Raises TableUnreadable, with nothing changed, and CatalogueUnavailable, with some rows done.
    """
    report = ImportReport()
    named: dict[ObjectId | str, int] = {}
    for part in slices(read_rows(lines), PART_ROWS):
        report.faults += [row for row in part if isinstance(row, RowFault)]
        rows = [row for row in part if isinstance(row, Row)]
        work = partial(
            _import_part, rows=rows, named=named, read_cell=read_cell, actor="" if dry_run else actor
        )
        done = in_transaction(work)
        named |= done.lines
        report.rows += len(part)
        report.created += len(done.new)
        report.changed += len(done.moves) + len(done.updates)
        report.unchanged += done.unchanged
        report.faults += done.faults
        progress(report.rows)
    report.faults.sort(key=lambda fault: fault.line)
    return report


def _import_part(
    session: ClientSession,
    *,
    rows: Sequence[Row],
    named: Mapping[ObjectId | str, int],
    read_cell: ReadCell,
    actor: str,
) -> Part:
    """Plan the rows on what is stored now, and write the changes; without an actor, only plan."""
    found, part = _find(session, rows), Part()
    for row in rows:
        planned = plan(row, found, read_cell)
        if isinstance(planned, Planned):
            _add(part, planned, named)
        else:
            part.faults += planned
    if actor:
        _write(session, part, actor)
    return part


def _find(session: ClientSession, rows: Sequence[Row]) -> Found:
    """The products that the rows name, by id or SKU, as they are in the snapshot of the transaction."""
    ids = {key for row in rows if (key := object_id(row.cells.get(ID, "").strip()))}
    skus = {sku for row in rows if (sku := row.cells.get(SKU, "").strip())}
    named = {"$or": [{"_id": {"$in": list(ids)}}, {"sku": {"$in": list(skus)}}]}
    documents = list(product_collection().find(named, session=session, batch_size=2 * PART_ROWS))
    by_sku = {each["sku"]: each for each in documents if each.get("sku") in skus}
    return Found({each["_id"]: each for each in documents}, by_sku)


def _add(part: Part, planned: Planned, named: Mapping[ObjectId | str, int]) -> None:
    """Add what a row changes, unless an earlier row is about the same product."""
    document, changes = planned.document, planned.changes
    product_id = document["_id"] if document else ObjectId()
    keys = {product_id, changes.get("sku") or (document or {}).get("sku") or product_id}
    if lines := [line for key in keys if (line := named.get(key) or part.lines.get(key))]:
        detail = f"Line {lines[0]} is about the same product, or has its SKU."
        part.faults.append(RowFault(planned.line, "", "repeated", detail))
        return
    part.lines.update(dict.fromkeys(keys, planned.line))
    if document is None:
        part.new.append(_new(product_id, changes))
    elif not changes:
        part.unchanged += 1
    elif STOCK in changes:
        part.moves.append(stock_correction(document, changes, reason=REASON))
    else:
        part.updates.append(UpdateOne({"_id": product_id}, {"$set": changed_fields(document, changes)}))


def _new(product_id: ObjectId, changes: Any) -> dict[str, Any]:
    now = current_time()
    times = {"createdAt": now, "updatedAt": now}
    document = {"_id": product_id, **_defaults(), **stored_fields(changes), **times}
    return document | search_fields(read_product(document))


@cache
def _defaults() -> Mapping[str, Any]:
    """The stored fields of a product of which nothing is given."""
    fields: dict[str, Any] = ProductDocument().to_mongo().to_dict()
    return fields


def _write(session: ClientSession, part: Part, actor: str) -> None:
    """Raises WriteConflict where another transaction was first, which may have taken a SKU."""
    try:
        insert_products(session, part.new, actor=actor, reason=REASON)
        move_stock(session, part.moves, actor=actor)
        if part.updates:
            product_collection().bulk_write(part.updates, ordered=False, session=session)
    except BulkWriteError as error:
        if not is_duplicate_key(error):
            raise
        raise WriteConflict from error
