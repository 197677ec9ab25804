"""One audit from end to end."""

from collections.abc import Callable, Iterable, Sequence

from django.db import connection

from foundation import metrics
from kafka_workers.audit.advice import line_difference, order_difference, product_difference
from kafka_workers.audit.agreement import Fault
from kafka_workers.audit.orders import FaultyOrder, OrdersReport, audit_orders
from kafka_workers.audit.repair import Repair
from kafka_workers.audit.report import AuditReport, Difference
from orders_app.services.stock_claims import StockClaim
from orders_app.state_machine import StockStatus
from products_app.services.stock.audit import StockReport, read_stock

# The form with two numbers keeps clear of the locks on orders; the relay has (0x5B, 1).
REPAIR_LOCK = (0x5B, 2)

Progress = Callable[[str, int], None]
"""Told of what how many have been looked at: `entries` or `orders`."""


class RepairInProgress(Exception):
    """Another audit repairs, and two would correct the same figure twice."""

    def __init__(self) -> None:
        super().__init__("another audit repairs now: wait until it has ended")


def audit(*, grace: float, repair: bool, progress: Progress) -> AuditReport:
    """Compare stock, ledger and orders, and with `repair` mend what is safe to mend.

    `grace` is how many seconds to wait for messages that are on their way. Raises RepairInProgress,
    CatalogueUnavailable and django.db.OperationalError.
    """
    if repair:
        _lock_repair()
    stock = read_stock(lambda number: progress("entries", number))
    orders = audit_orders(grace, lambda number: progress("orders", number))
    repairing = Repair(stock.inconsistent)
    of_orders = [(order, order_difference(order)) for order in orders.faulty]
    for order, difference in of_orders if repair else ():
        repairing.mend_order(order, difference)
    doubtful = _doubtful_products(stock, orders.undecided, of_orders)
    of_products = [
        product_difference(figure, is_doubtful=figure.product_id in doubtful) for figure in stock.inconsistent
    ]
    for difference in of_products if repair else ():
        if difference.id not in doubtful:
            repairing.mend_product(difference)
    differences = [difference for _, difference in of_orders]
    differences += [*of_products, *map(line_difference, stock.invalid_lines)]
    metrics.STOCK_DRIFT.set(repairing.drift_pieces)
    return _report(stock, orders, differences, repairing.drift_pieces)


def _lock_repair() -> None:
    """Take the right to repair until the connection ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", REPAIR_LOCK)
        if cursor.fetchone() != (True,):
            raise RepairInProgress


def _doubtful_products(
    stock: StockReport,
    undecided: Iterable[StockClaim],
    of_orders: Iterable[tuple[FaultyOrder, Difference]],
) -> set[str]:
    """Products whose ledger itself may be wrong: their stock cannot be judged by it."""
    doubtful = {line.product_id for line in stock.invalid_lines}
    for claim in undecided:
        if claim.stock_status == StockStatus.RESERVED and not claim.is_cancelled:
            doubtful.update(claim.lines)
    for order, difference in of_orders:
        if order.fault in {Fault.HOLD_LOST, Fault.HOLDS_OTHERWISE} and not difference.mended:
            doubtful.update(order.claim.lines)
    return doubtful


def _report(
    stock: StockReport, orders: OrdersReport, differences: Sequence[Difference], drift_pieces: int
) -> AuditReport:
    return AuditReport(
        products=stock.products,
        entries=stock.entries,
        orders=orders.orders,
        in_flight=len(orders.undecided),
        waiting_for=orders.waiting_for,
        uncounted=stock.uncounted,
        drift_pieces=drift_pieces,
        differences=differences,
    )
