"""One audit from start to end."""

from collections.abc import Callable, Iterable, Sequence

from foundation.advisory_lock import Lock, take_lock
from kafka_workers.audit.advice import (
    entry_difference,
    line_difference,
    order_difference,
    product_difference,
)
from kafka_workers.audit.agreement import Disagreement
from kafka_workers.audit.drift import record_drift
from kafka_workers.audit.orders import DisagreeingOrder, OrdersReport, audit_orders
from kafka_workers.audit.repair import Repair
from kafka_workers.audit.report import AuditReport, Difference
from kafka_workers.audit.unknown_orders import audit_entries
from orders_app.services.stock_claims import StockClaim
from orders_app.state_machine import StockStatus
from products_app.services.stock.audit import StockReport, read_stock

Progress = Callable[[str, int], None]
"""Called with `entries` or `orders`, and how many of them have been compared."""


class RepairInProgress(Exception):
    """Another audit repairs at present; two would correct the same stock twice."""

    def __init__(self) -> None:
        super().__init__("another audit repairs now: wait until it has ended")


def audit(*, grace: float, repair: bool, progress: Progress) -> AuditReport:
    """Compare stock, ledger and orders, and with `repair` repair what is safe to repair.

    `grace` is how many seconds to wait for messages in flight. Raises RepairInProgress, ForeignLedger,
    CatalogueUnavailable and django.db.OperationalError.
    """
    if repair:
        _lock_repair()
    stock = read_stock(lambda number: progress("entries", number))
    of_unknown = audit_entries(repair=repair)
    orders = audit_orders(grace, lambda number: progress("orders", number))
    repairing = Repair(stock.inconsistent)
    of_orders = [(order, order_difference(order)) for order in orders.disagreeing]
    for order, difference in of_orders if repair else ():
        repairing.repair_order(order, difference)
    uncertain = _uncertain_products(stock, orders.in_flight, of_orders)
    of_products = [
        product_difference(balance, is_uncertain=balance.product_id in uncertain)
        for balance in stock.inconsistent
    ]
    for difference in of_products if repair else ():
        if difference.id not in uncertain:
            repairing.repair_product(difference)
    differences = [difference for _, difference in of_orders]
    differences += [*of_products, *map(line_difference, stock.invalid_lines)]
    differences += [*map(entry_difference, stock.unreadable_entries), *of_unknown]
    record_drift(repairing.drift_pieces)
    return _report(stock, orders, differences, repairing.drift_pieces)


def _lock_repair() -> None:
    """Take the repair lock until the connection ends. Raises RepairInProgress."""
    if not take_lock(Lock.STOCK_REPAIR):
        raise RepairInProgress


def _uncertain_products(
    stock: StockReport,
    in_flight: Iterable[StockClaim],
    of_orders: Iterable[tuple[DisagreeingOrder, Difference]],
) -> set[str]:
    """The products whose ledger entries may be wrong, so that their stock cannot be compared."""
    uncertain = {line.product_id for line in stock.invalid_lines}
    for claim in in_flight:
        if claim.stock_status == StockStatus.RESERVED and not claim.is_cancelled:
            uncertain.update(claim.lines)
    for order, difference in of_orders:
        if (
            order.disagreement in {Disagreement.NO_ENTRY, Disagreement.ENTRY_DIFFERS}
            and not difference.repaired
        ):
            uncertain.update(order.claim.lines)
    return uncertain


def _report(
    stock: StockReport, orders: OrdersReport, differences: Sequence[Difference], drift_pieces: int
) -> AuditReport:
    return AuditReport(
        products=stock.products,
        entries=stock.entries,
        orders=orders.orders,
        without_stock=orders.without_stock,
        in_flight=len(orders.in_flight),
        waiting_for=orders.waiting_for,
        uncounted=stock.uncounted,
        unrecorded=stock.unrecorded,
        drift_pieces=drift_pieces,
        differences=differences,
    )
