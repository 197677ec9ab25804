"""The laws about money, judged by the books of the payment gateway."""

from collections import Counter
from collections.abc import Iterator

from devtools.driver.shop import CANCELLED, DELIVERED, PAID, PAYMENT_PENDING, PROCESSING, REFUNDED, SHIPPED
from devtools.faults.evidence import Evidence
from devtools.faults.observations import PlacedOrder
from devtools.faults.system import Document
from devtools.faults.violation import Violation


def charged_is_paid_and_not_given_back(evidence: Evidence) -> Iterator[Violation]:
    """Of each order the gateway keeps what was paid for it and has not gone back."""
    for placed, order in _prepaid(evidence):
        paid = _minor_units(order["totalAmount"]) if order["paidAt"] else 0
        expected = paid - _minor_units(order["refundedAmount"])
        if (kept := _kept(evidence, placed)) != expected:
            yield Violation(
                "drift",
                placed.order_id,
                f"the gateway keeps {kept}, but {paid} were paid and {order['refundedAmount']} went back",
            )
    for order_id, payments in evidence.payments.items():
        if order_id not in evidence.orders and any(payment.kept for payment in payments):
            yield Violation("drift", order_id, "the gateway keeps money for an order that nobody has placed")


def an_attempt_charges_once(evidence: Evidence) -> Iterator[Violation]:
    """No attempt has taken money twice, whatever went back of it later."""
    for order_id, payments in evidence.payments.items():
        charges = Counter(payment.attempt for payment in payments if payment.received)
        for attempt, count in charges.items():
            if count > 1:
                yield Violation("drift", order_id, f"attempt {attempt} was charged {count} times")


def cancelled_orders_keep_no_money(evidence: Evidence) -> Iterator[Violation]:
    """The whole sum of an order that was cancelled has gone back."""
    for placed, order in _prepaid(evidence):
        if order["status"] == CANCELLED and (kept := _kept(evidence, placed)):
            yield Violation("lost", placed.order_id, f"is cancelled, and the gateway keeps {kept}")


def orders_go_on_with_their_money_alone(evidence: Evidence) -> Iterator[Violation]:
    """An order that is paid in advance goes on when it is paid, and not before."""
    for placed, order in _prepaid(evidence):
        goes_on = order["status"] in {PROCESSING, SHIPPED, DELIVERED}
        if goes_on and order["paymentStatus"] not in {PAID, REFUNDED}:
            yield Violation("drift", placed.order_id, f"goes on with payment {order['paymentStatus']}")


def payments_come_to_an_end(evidence: Evidence) -> Iterator[Violation]:
    """An order with a token is paid, or was declined, or is cancelled: never silence."""
    for placed, order in _prepaid(evidence):
        was_paid_for = placed.order_id in evidence.observations.paid_for
        if was_paid_for and order["status"] != CANCELLED and order["paymentStatus"] == PAYMENT_PENDING:
            yield Violation("lost", placed.order_id, "its customer was never told how the payment ended")


def _prepaid(evidence: Evidence) -> Iterator[tuple[PlacedOrder, Document]]:
    for placed in evidence.observations.placed.values():
        order = evidence.orders.get(placed.order_id)
        if order is not None and placed.order_id in evidence.observations.paid_for:
            yield placed, order


def _kept(evidence: Evidence, placed: PlacedOrder) -> int:
    return sum(payment.kept for payment in evidence.payments.get(placed.order_id, ()))


def _minor_units(amount: str) -> int:
    """Of an amount in the currency of the suite, which has two decimals."""
    return int(amount.replace(".", ""))


MONEY_LAWS = (
    charged_is_paid_and_not_given_back,
    an_attempt_charges_once,
    cancelled_orders_keep_no_money,
    orders_go_on_with_their_money_alone,
    payments_come_to_an_end,
)
