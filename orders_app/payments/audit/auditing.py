"""One audit of payments from start to end.

What differs at the first look is looked at twice more, some seconds apart, in fresh books. It counts only
where the order has not changed meanwhile and no money of it is on its way.
"""

import time

import structlog
from msgspec import Struct

from orders_app.payments.audit.comparison import Difference, Kind, stray_difference
from orders_app.payments.audit.last_audit import record_differences
from orders_app.payments.audit.looks import Judged, first_look, look_again
from orders_app.payments.audit.repair import give_back, lock_repair, record_refunds, repair_order
from orders_app.payments.gateway import Gateway, gateway

SETTLE_SECONDS = 3.0
FEW_STRAYS = 10
_REPAIRS = {
    Kind.UNKNOWN_CHARGE: repair_order,
    Kind.REFUND_TOO_LITTLE: repair_order,
    Kind.REFUND_TOO_MUCH: record_refunds,
}

log = structlog.get_logger(__name__)


class PaymentReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """How much was compared, and what differs; of so many orders nothing is said, as their money moves."""

    payments: int
    orders: int
    on_their_way: int
    differences: list[Difference]

    @property
    def unrepaired(self) -> int:
        """How many differences are not repaired."""
        return sum(not difference.repaired for difference in self.differences)


class ForeignBooks(Exception):
    """The books are not those of this installation: most of their payments are for no order of it."""

    def __init__(self, strays: int, payments: int) -> None:
        super().__init__(
            f"{strays} of {payments} payments at the gateway are for no order of this installation: check "
            "that DATABASE_URL and STRIPE_SECRET_KEY belong together. Nothing was repaired"
        )


def audit_payments(*, repair: bool) -> PaymentReport:
    """Compare the gateway's books with the orders; with `repair`, give back what must go back.

    Raises RepairInProgress, ForeignBooks, GatewayUnavailable, AnswerMissing and database errors.
    """
    if repair:
        lock_repair()
    at = gateway()
    look = first_look(at)
    if repair and FEW_STRAYS < (foreign := look.of_other_orders) > look.known:
        raise ForeignBooks(foreign, look.payments)
    differences = list(look.unreadable)
    for payment in look.strays:
        differences.append(difference := stray_difference(payment))
        if repair:
            _record(difference, give_back(at, payment, payment.amount))
    judged, moving = look_again(at, look.suspects)
    if judged:
        time.sleep(SETTLE_SECONDS)
        again, moving = look_again(at, look.suspects)
        judged = _in_both(judged, again)
    for each in judged:
        differences += each.differences
        if repair:
            _repair(at, each)
    report = PaymentReport(
        payments=look.payments,
        orders=look.orders,
        on_their_way=moving,
        differences=differences,
    )
    record_differences(report.unrepaired)
    return report


def _in_both(first: list[Judged], second: list[Judged]) -> list[Judged]:
    """What differs in the same way at both looks."""
    seen = {(each.order.document.id, str(each.differences)) for each in first}
    return [each for each in second if (each.order.document.id, str(each.differences)) in seen]


def _repair(at: Gateway, judged: Judged) -> None:
    for difference in judged.differences:
        repair = _REPAIRS.get(difference.kind)
        if repair and judged.follows_log:
            _record(difference, repair(at, judged.order, judged.payments[difference.payment_id]))


def _record(difference: Difference, result: str) -> None:
    difference.repaired = result
    if result:
        log.warning("audit repaired a payment", difference=str(difference))
