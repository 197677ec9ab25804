"""Looking at every order twice: what differs from the ledger, and still does when all has arrived."""

from collections.abc import Callable, Collection, Iterator, Mapping
from uuid import UUID

from msgspec import Struct

from kafka_workers.audit.agreement import Fault, find_fault
from kafka_workers.audit.arrival import await_arrival
from kafka_workers.relay.parked_events import blocked_orders
from orders_app.services.replay_orders import compare_orders
from orders_app.services.stock_claims import StockClaim, next_claims, read_claims
from products_app.services.stock.audit import HeldStock, read_held_stock

SLICE_ORDERS = 1000


class FaultyOrder(Struct, frozen=True):
    """An order that disagrees with its entry; `follows_log` says whether its row is what its events tell."""

    claim: StockClaim
    holding: HeldStock | None
    fault: Fault
    follows_log: bool


class OrdersReport(Struct, frozen=True):
    """`undecided` are orders that differ while something is on its way, which is `waiting_for`."""

    orders: int
    faulty: list[FaultyOrder]
    undecided: list[StockClaim]
    waiting_for: str


def audit_orders(grace: float, progress: Callable[[int], None]) -> OrdersReport:
    """Compare every order with its entry; waits at most `grace` seconds for what is on its way.

    `progress` is told how many orders have been looked at. Raises CatalogueUnavailable and
    django.db.OperationalError.
    """
    suspects: dict[UUID, StockClaim] = {}
    number = 0
    for claims in _slices():
        suspects.update((claim.order_id, claim) for claim, _, _ in _disagreeing(claims, _holdings(claims)))
        number += len(claims)
        progress(number)
    waiting_for = await_arrival(grace) if suspects else ""
    if waiting_for:
        return OrdersReport(number, [], list(suspects.values()), waiting_for)
    persisting, moved = _look_again(suspects)
    return OrdersReport(number, persisting, moved, "")


def _slices() -> Iterator[list[StockClaim]]:
    after = UUID(int=0)
    while claims := next_claims(after, SLICE_ORDERS):
        yield claims
        after = claims[-1].order_id


def _disagreeing(
    claims: Collection[StockClaim], holdings: Mapping[str, HeldStock]
) -> Iterator[tuple[StockClaim, HeldStock | None, Fault]]:
    for claim in claims:
        holding = holdings.get(str(claim.order_id))
        if fault := find_fault(claim, holding):
            yield claim, holding, fault


def _holdings(claims: Collection[StockClaim]) -> dict[str, HeldStock]:
    return read_held_stock([str(claim.order_id) for claim in claims])


def _look_again(suspects: Mapping[UUID, StockClaim]) -> tuple[list[FaultyOrder], list[StockClaim]]:
    """Those that differ at the version they had before, and those that differ because they have moved on."""
    waiting = blocked_orders()
    persisting: list[FaultyOrder] = []
    moved: list[StockClaim] = []
    ids = list(suspects)
    for start in range(0, len(ids), SLICE_ORDERS):
        together = ids[start : start + SLICE_ORDERS]
        # The ledger first: an order still at its version afterwards was at it when its entry was read.
        holdings = read_held_stock([str(order_id) for order_id in together])
        found = list(_disagreeing(read_claims(together), holdings))
        stale = {each.order_id for each in compare_orders([claim.order_id for claim, _, _ in found])}
        for claim, holding, fault in found:
            if claim.version != suspects[claim.order_id].version or claim.order_id in waiting:
                moved.append(claim)
            else:
                persisting.append(FaultyOrder(claim, holding, fault, claim.order_id not in stale))
    return persisting, moved
