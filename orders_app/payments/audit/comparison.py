"""How the books and an order can differ."""

from collections.abc import Collection, Iterator
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from foundation.currencies import is_currency
from orders_app.money import from_minor_units
from orders_app.payments.audit.books import Taken
from orders_app.payments.audit.order_money import OrderMoney


class Kind(StrEnum):
    """What differs; the value is for programs."""

    UNKNOWN_CHARGE = "unknown_charge"
    PAID_WITHOUT_CHARGE = "paid_without_charge"
    OTHER_AMOUNT = "other_amount"
    REFUND_TOO_LITTLE = "refund_too_little"
    REFUND_TOO_MUCH = "refund_too_much"
    UNREADABLE = "unreadable"


class Difference(Struct, kw_only=True, rename="camel"):
    """A fact that is wrong, what to do about it, and what `--repair` has done."""

    kind: Kind
    order_id: str
    payment_id: str
    fact: str
    advice: str
    repaired: str = ""

    def __str__(self) -> str:
        subject = f"payment {self.payment_id}" if self.payment_id else f"order {self.order_id}"
        return f"{subject}: {self.fact}. {self.repaired or self.advice}"


def differences_of(order: OrderMoney, payments: Collection[Taken]) -> Iterator[Difference]:
    """What differs between an order and the payments that name it or that it names."""
    for payment in payments:
        yield from _differences_of_payment(order, payment)
    reference = order.document.payment_reference or ""
    if order.needs_charge and reference not in {payment.payment_id for payment in payments}:
        yield _difference(
            Kind.PAID_WITHOUT_CHARGE,
            order,
            "",
            f"{order.document.order_number} counts as paid by {reference or 'no payment'}, and the gateway "
            "took no money by it",
            "Find out how it came to be paid (its history tells), and have it paid or cancel it",
        )


def stray_difference(payment: Taken) -> Difference:
    """A payment of which no order knows, and of which money was kept."""
    return Difference(
        kind=Kind.UNKNOWN_CHARGE,
        order_id=payment.order_id,
        payment_id=payment.payment_id,
        fact=f"{_amount(payment.amount - payment.returned, payment)} were taken for no order of ours",
        advice="With --repair they go back",
    )


def unreadable_difference(order_id: UUID) -> Difference:
    """An order of which money was taken, that was deleted, and whose events cannot be read."""
    return Difference(
        kind=Kind.UNREADABLE,
        order_id=str(order_id),
        payment_id="",
        fact="money was taken for it, and it was deleted and its events cannot be read",
        advice="`replay_orders` names what is wrong with them",
    )


def _differences_of_payment(order: OrderMoney, payment: Taken) -> Iterator[Difference]:
    document = order.document
    number = document.order_number
    is_own = payment.payment_id == document.payment_reference
    if is_own and (payment.amount, payment.currency) != (order.total, document.currency):
        yield _difference(
            Kind.OTHER_AMOUNT,
            order,
            payment.payment_id,
            f"{_amount(payment.amount, payment)} were taken for {number}, which costs "
            f"{document.total_amount} {document.currency}",
            "Give the difference back at the gateway, or settle it with the customer",
        )
    due = order.to_go_back(payment.payment_id, payment.amount)
    if payment.returned < due:
        kind = Kind.REFUND_TOO_LITTLE if is_own else Kind.UNKNOWN_CHARGE
        taken = f"{_amount(payment.amount, payment)} were taken for {number}"
        back = f"{_amount(due, payment)} must go back and {_amount(payment.returned, payment)} did"
        fact = f"{taken}, {back}" if is_own else f"{taken}, which does not know of it: {back}"
        yield _difference(kind, order, payment.payment_id, fact, "With --repair the rest goes back")
    elif order.is_forgotten(payment):
        yield _difference(
            Kind.UNKNOWN_CHARGE,
            order,
            payment.payment_id,
            f"{_amount(payment.amount, payment)} were taken for {number} and went back; it knows of neither",
            "With --repair the order is told of both",
        )
    elif payment.returned > due:
        yield _difference(
            Kind.REFUND_TOO_MUCH,
            order,
            payment.payment_id,
            f"{_amount(payment.returned, payment)} went back of what was taken for {number}, which knows of "
            f"{_amount(due, payment)}",
            "With --repair what the order had asked for is recorded; of the rest find out who gave it back",
        )


def _difference(kind: Kind, order: OrderMoney, payment_id: str, fact: str, advice: str) -> Difference:
    return Difference(
        kind=kind, order_id=str(order.document.id), payment_id=payment_id, fact=fact, advice=advice
    )


def _amount(minor_units: int, payment: Taken) -> str:
    if not is_currency(payment.currency):
        return f"{minor_units} of the smallest unit of {payment.currency}"
    return f"{from_minor_units(minor_units, payment.currency)} {payment.currency}"
