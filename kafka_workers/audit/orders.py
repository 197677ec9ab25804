"""Comparing every order with the ledger; those that differ once more, after all messages have arrived."""

from collections.abc import Callable, Collection, Iterator, Mapping
from uuid import UUID

from msgspec import Struct

from foundation.slices import slices
from kafka_workers.audit.agreement import Disagreement, find_disagreement, went_without_stock
from kafka_workers.audit.arrival import await_arrival
from kafka_workers.relay.parked_events import blocked_orders
from orders_app.services.replay_orders import compare_orders
from orders_app.services.stock_claims import StockClaim, next_claims, read_claims
from products_app.services.stock.audit import HeldStock, read_held_stock

SLICE_ORDERS = 1000


class DisagreeingOrder(Struct, frozen=True):
    """An order that disagrees with its entry; `follows_log`: its row agrees with its events."""

    claim: StockClaim
    entry: HeldStock | None
    disagreement: Disagreement
    follows_log: bool


class OrdersReport(Struct, frozen=True):
    """`in_flight` are orders that differ while messages are in flight; `waiting_for` says which.

    `without_stock` has the ids of orders that were shipped without their stock, by a decision of staff.
    """

    orders: int
    without_stock: list[str]
    disagreeing: list[DisagreeingOrder]
    in_flight: list[StockClaim]
    waiting_for: str


def audit_orders(grace: float, progress: Callable[[int], None]) -> OrdersReport:
    """Compare every order with its entry; waits at most `grace` seconds for messages in flight.

    `progress` is called with the number of orders compared so far. Raises CatalogueUnavailable and
    django.db.OperationalError.
    """
    suspects: dict[UUID, StockClaim] = {}
    number = 0
    without_stock: list[str] = []
    for claims in _slices():
        without_stock += [str(claim.order_id) for claim in claims if went_without_stock(claim)]
        suspects.update((claim.order_id, claim) for claim, _, _ in _disagreeing(claims, _entries(claims)))
        number += len(claims)
        progress(number)
    waiting_for = await_arrival(grace) if suspects else ""
    if waiting_for:
        return OrdersReport(number, without_stock, [], list(suspects.values()), waiting_for)
    disagreeing, changed = _compare_again(suspects)
    return OrdersReport(number, without_stock, disagreeing, changed, "")


def _slices() -> Iterator[list[StockClaim]]:
    after = UUID(int=0)
    while claims := next_claims(after, SLICE_ORDERS):
        yield claims
        after = claims[-1].order_id


def _disagreeing(
    claims: Collection[StockClaim], entries: Mapping[str, HeldStock]
) -> Iterator[tuple[StockClaim, HeldStock | None, Disagreement]]:
    for claim in claims:
        entry = entries.get(str(claim.order_id))
        if disagreement := find_disagreement(claim, entry):
            yield claim, entry, disagreement


def _entries(claims: Collection[StockClaim]) -> dict[str, HeldStock]:
    return read_held_stock([str(claim.order_id) for claim in claims])


def _compare_again(suspects: Mapping[UUID, StockClaim]) -> tuple[list[DisagreeingOrder], list[StockClaim]]:
    """The orders that differ at an unchanged version, and those that differ after a change."""
    blocked = blocked_orders()
    disagreeing: list[DisagreeingOrder] = []
    changed: list[StockClaim] = []
    for part in slices(suspects, SLICE_ORDERS):
        # The ledger is read first: an order at an unchanged version was at it when its entry was read.
        entries = read_held_stock([str(order_id) for order_id in part])
        found = list(_disagreeing(read_claims(part), entries))
        stale = {each.order_id for each in compare_orders([claim.order_id for claim, _, _ in found])}
        for claim, entry, disagreement in found:
            if claim.version != suspects[claim.order_id].version or claim.order_id in blocked:
                changed.append(claim)
            else:
                disagreeing.append(DisagreeingOrder(claim, entry, disagreement, claim.order_id not in stale))
    return disagreeing, changed
