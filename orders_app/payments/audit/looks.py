"""The looks of an audit: at all books and orders, and again at those that differ."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.utils import timezone
from msgspec import Struct

from foundation.slices import slices
from orders_app.payments.audit.books import Books, Taken, read_again, read_books
from orders_app.payments.audit.comparison import Difference, differences_of, unreadable_difference
from orders_app.payments.audit.order_money import OrderMoney, paid_orders, read_money
from orders_app.payments.gateway import Gateway
from orders_app.services.order_ids import parse_order_id
from orders_app.services.replay_orders import compare_orders

SLICE = 500
ROW_DIFFERS = "Its row differs from its events: `replay_orders` shows it, `--rebuild` mends it. Audit again"
ON_ITS_WAY = timedelta(hours=1)
"""For so long money may be on its way: retries end within minutes."""

Suspects = Mapping[UUID, set[str]]
"""Orders that differ from the books, with the ids of the payments that concern them."""


class FirstLook(Struct, frozen=True):
    """How many payments and paid orders there are, and what of them needs another look.

    `known` payments name an order of ours; `strays` name none that ever was, and something of them was kept.
    """

    payments: int
    known: int
    orders: int
    strays: list[Taken]
    unreadable: list[Difference]
    suspects: Suspects

    @property
    def of_other_orders(self) -> int:
        """How many strays name an order, which is none of this installation."""
        return sum(parse_order_id(payment.order_id) is not None for payment in self.strays)


class Judged(Struct, frozen=True):
    """An order that differs from the books, and the payments that name it, by id.

    A row that does not follow the order log is to be mended first: what differs may come from that.
    """

    order: OrderMoney
    payments: Mapping[str, Taken]
    differences: list[Difference]
    follows_log: bool


def first_look(at: Gateway) -> FirstLook:
    """Compare all books with all orders. Raises GatewayUnavailable, AnswerMissing and database errors."""
    books = read_books(at)
    suspects: defaultdict[UUID, set[str]] = defaultdict(set)
    named = {name: parse_order_id(name) for name in books.of_order}
    strays = [each for name, order_id in named.items() if not order_id for each in _taken_for(books, name)]
    unreadable: list[Difference] = []
    known = 0
    for order_ids in slices((order_id for order_id in named.values() if order_id), SLICE):
        money = read_money(order_ids)
        for order_id in order_ids:
            payments = _taken_for(books, str(order_id))
            if order_id not in money:
                strays += payments
                continue
            known += len(payments)
            if (order := money[order_id]) is None:
                unreadable.append(unreadable_difference(order_id))
            elif any(differences_of(order, payments)):
                suspects[order_id].update(payment.payment_id for payment in payments)
    orders = _suspect_paid_orders(books, suspects)
    kept = [payment for payment in strays if not payment.is_gone]
    return FirstLook(len(books.taken), known, orders, kept, unreadable, suspects)


def look_again(at: Gateway, suspects: Suspects) -> tuple[list[Judged], int]:
    """Those of the suspects that differ at an unchanged version, and how many moved meanwhile.

    Raises GatewayUnavailable, AnswerMissing and database errors.
    """
    judged: list[Judged] = []
    moving = 0
    for order_ids in slices(suspects, SLICE):
        before = read_money(order_ids)
        payments = {order_id: _payments_of(at, order_id, suspects[order_id]) for order_id in order_ids}
        after = read_money(order_ids)
        for order_id in order_ids:
            order = before.get(order_id)
            if order is None or not _rests(order, after.get(order_id)):
                moving += 1
            elif found := list(differences_of(order, payments[order_id].values())):
                judged.append(_judged(order, payments[order_id], found))
    return judged, moving


def _judged(order: OrderMoney, payments: Mapping[str, Taken], differences: list[Difference]) -> Judged:
    follows_log = not compare_orders([order.document.id])
    for difference in () if follows_log else differences:
        difference.advice = ROW_DIFFERS
    return Judged(order, payments, differences, follows_log)


def _suspect_paid_orders(books: Books, suspects: dict[UUID, set[str]]) -> int:
    """Add the orders that name a payment which the books do not have for them; the number of paid orders."""
    number = 0
    for references in paid_orders(SLICE):
        number += len(references)
        for order_id, reference in references.items():
            payment = books.taken.get(reference)
            if payment is None or payment.order_id != str(order_id):
                suspects[order_id].update({reference} - {""})
    return number


def _payments_of(at: Gateway, order_id: UUID, payment_ids: set[str]) -> dict[str, Taken]:
    return {
        payment.payment_id: payment
        for payment in read_again(at, payment_ids).taken.values()
        if payment.order_id == str(order_id)
    }


def _rests(before: OrderMoney, after: OrderMoney | None) -> bool:
    """Whether the order was the same before and after the look, with no money on its way."""
    if after is None or before.document.version != after.document.version:
        return False
    since = min((each for each in (before.open_since, after.open_since) if each), default=None)
    return since is None or timezone.now() - since > ON_ITS_WAY


def _taken_for(books: Books, order_id: str) -> list[Taken]:
    return [books.taken[payment_id] for payment_id in books.of_order[order_id]]
