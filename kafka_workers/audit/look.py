"""A look at the stock for the proof page: every product beside the ledger, while traffic runs.

It reads what the first part of an audit reads, changes nothing, and is taken while people look at the page.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Literal

import msgspec
from django.utils import timezone
from msgspec import Struct

from foundation.advisory_lock import Lock, release_lock, take_lock
from foundation.kept import REST, Kept
from kafka_workers.models import StockLook
from orders_app.board_figures import IN_FLIGHT, Waiting, count_waiting
from products_app.services.stock.audit import ProductBalance
from products_app.services.stock.balances import Balances, read_all_balances

SHOWN_PRODUCTS = 2_000
PROOF_SECONDS = 4.0
"""How old a look may become while somebody sees the proof page."""
BOARD_SECONDS = 60.0
"""The same for the board, which shows the drift alone."""

Note = Literal["", "missing", "uncounted", "unreadable", "unrecorded"]


class ProductRow(Struct, frozen=True):
    """A product as the page shows it: `drift` is `stock - (received - held)`.

    `received` is the sum of its movements where they are recorded. `note` says why a count is not known, or
    that the product's field for what it received differs from them.
    """

    id: str
    name: str
    received: int | None
    held: int
    stock: int | None
    drift: int
    note: Note = ""


def take_look_if_older(seconds: float) -> None:
    """Take a look, unless the last one is not older than this, or another process looks.

    Looks that take long are taken less often. Raises CatalogueUnavailable and the errors of the database.
    """
    if not _is_due(seconds) or not take_lock(Lock.STOCK_LOOK):
        return
    try:
        if _is_due(seconds):
            take_look()
    finally:
        release_lock(Lock.STOCK_LOOK)


class Looks:
    """The looks of a page, which must not be older than `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._taken = Kept(partial(take_look_if_older, seconds), seconds=seconds)

    def last(self, wait: float = 0.0) -> StockLook | None:
        """The last look; None before the first. Where it is due, a thread of its own takes the next.

        This waits for that thread at most `wait` seconds. Raises the errors of the database.
        """
        self._taken.last(wait)
        return StockLook.objects.first()


looks_for_proof = Looks(PROOF_SECONDS)
looks_for_board = Looks(BOARD_SECONDS)


def _is_due(seconds: float) -> bool:
    last = StockLook.objects.values_list("looked_at", "seconds").first()
    if last is None:
        return True
    looked_at, took = last
    # A little earlier, so that the clocks of two processes do not make one of them wait a second time.
    return timezone.now() - looked_at >= timedelta(seconds=max(seconds, REST * took) * 0.9)


def take_look() -> None:
    """Look at all products now, and keep it. Raises CatalogueUnavailable and the errors of the database."""
    looked_at, start = timezone.now(), time.monotonic()
    balances = read_all_balances()
    in_flight = count_waiting(IN_FLIGHT)
    fields = _sums(balances) | {
        "looked_at": looked_at,
        "seconds": time.monotonic() - start,
        "in_flight": sum(each.count for each in in_flight),
        "in_flight_since": _oldest(in_flight),
        "rows": msgspec.to_builtins(_rows(balances.products)),
    }
    StockLook.objects.update_or_create(id=1, defaults=fields)


def _sums(balances: Balances) -> dict[str, object]:
    products = balances.products
    return {
        "products": len(products),
        "entries": balances.entries,
        "received": sum(_received(each) or 0 for each in products),
        "held": sum(each.held for each in products),
        "stock": sum(each.stock or 0 for each in products),
        "drift_pieces": sum(each.pieces_of_drift for each in products),
    }


def _oldest(waiting: Sequence[Waiting]) -> object:
    return min((each.oldest for each in waiting if each.oldest), default=None)


def _rows(products: Sequence[ProductBalance]) -> list[ProductRow]:
    """Those that are wrong first, then by name."""
    first = sorted(products, key=lambda each: (not _is_wrong(each), each.name.casefold(), each.product_id))
    return [_row(each) for each in first[:SHOWN_PRODUCTS]]


def _is_wrong(balance: ProductBalance) -> bool:
    return balance.is_inconsistent and _note(balance) != "uncounted"


def _row(balance: ProductBalance) -> ProductRow:
    return ProductRow(
        balance.product_id,
        balance.name,
        _received(balance),
        balance.held,
        balance.stock,
        balance.drift,
        _note(balance),
    )


def _received(balance: ProductBalance) -> int | None:
    return balance.received if balance.moved is None else balance.moved


def _note(balance: ProductBalance) -> Note:
    if balance.fault:
        return "unreadable"
    if balance.stock is None:
        return "missing"
    if balance.received is None:
        return "uncounted"
    return "unrecorded" if balance.unrecorded else ""
