"""What orders say of their money: read for an audit, of deleted orders from the order log."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from msgspec import Struct, ValidationError

from orders_app import event_log
from orders_app.document import OrderDocument
from orders_app.exceptions import BrokenHistory
from orders_app.fold import rebuild_order
from orders_app.models import Order, PaymentToken, Refund
from orders_app.models.rows import read_documents
from orders_app.money import to_minor_units
from orders_app.payments.audit.books import Taken
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus

PAID = (PaymentStatus.PAID, PaymentStatus.REFUNDED)


class OrderMoney(Struct, frozen=True, kw_only=True):
    """One order: `document` by its row, or by its events where it was deleted; amounts in minor units.

    `returned` is what its refunds gave back, by payment, and `refund_keys` their idempotency keys.
    `open_since` is when the money set out that is on its way: a token at the gateway, or a refund that is
    asked for; None where there is none.
    """

    document: OrderDocument
    returned: dict[str, int]
    open_since: datetime | None
    refund_keys: frozenset[str]

    @property
    def total(self) -> int:
        """What the order costs."""
        return to_minor_units(self.document.total_amount, self.document.currency)

    @property
    def needs_charge(self) -> bool:
        """Whether the order says that it was paid through the gateway, and not otherwise as staff record."""
        document = self.document
        is_paid = document.is_prepaid and document.payment_status in PAID and self.total > 0
        return is_paid and not (document.payment_reference is None and _is_paid_by_log(document.id))

    def is_forgotten(self, payment: Taken) -> bool:
        """Whether the payment is one for which the order waits, by an attempt that the order does not know.

        So it is after a restore of the orders to a moment before the attempt.
        """
        is_due = (payment.amount, payment.currency) == (self.total, self.document.currency)
        is_later = payment.attempt.isdecimal() and int(payment.attempt) > self.document.payment_attempts
        return is_due and is_later and self.document.awaits_payment

    def to_go_back(self, payment_id: str, amount: int) -> int:
        """How much of a payment of this amount must have gone back."""
        document = self.document
        if payment_id != document.payment_reference or document.status == OrderStatus.CANCELLED:
            return amount
        recorded = to_minor_units(document.refunded_amount, document.currency)
        return max(recorded, self.returned.get(payment_id, 0))


def read_money(order_ids: Collection[UUID]) -> dict[UUID, OrderMoney | None]:
    """What these orders say, those that were deleted included; an order that never was is left out.

    None for an order that was deleted and whose events cannot be read.
    """
    documents: dict[UUID, OrderDocument | None] = {**read_documents(order_ids)}
    documents |= _from_log(set(order_ids) - documents.keys())
    returned: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
    opened: defaultdict[UUID, list[datetime]] = defaultdict(list)
    keys: defaultdict[UUID, set[str]] = defaultdict(set)
    for refund in Refund.objects.order_by().filter(order_id__in=order_ids):
        keys[refund.order_id].add(refund.idempotency_key)
        if refund.state == Refund.State.REQUESTED:
            opened[refund.order_id].append(refund.requested_at)
        elif refund.state == Refund.State.SUCCEEDED:
            amount = to_minor_units(refund.amount, refund.currency)
            returned[refund.order_id][refund.payment_id] += amount
    sent = PaymentToken.objects.filter(order_id__in=order_ids, sent_at__isnull=False)
    for order_id, sent_at in sent.values_list("order_id", "sent_at"):
        if sent_at:
            opened[order_id].append(sent_at)
    return {
        order_id: OrderMoney(
            document=document,
            returned=dict(returned[order_id]),
            open_since=min(opened[order_id], default=None),
            refund_keys=frozenset(keys[order_id]),
        )
        if document
        else None
        for order_id, document in documents.items()
    }


def paid_orders(size: int) -> Iterator[dict[UUID, str]]:
    """The orders that say that they were paid in advance, with the payment that each names, in slices."""
    after = UUID(int=0)
    while found := dict(
        Order.objects.filter(id__gt=after, payment_status__in=PAID, total_amount__gt=0)
        .exclude(payment_method=PaymentMethod.CASH_ON_DELIVERY)
        .order_by("id")
        .values_list("id", "payment_reference")[:size]
    ):
        yield {order_id: reference or "" for order_id, reference in found.items()}
        after = max(found)


def _is_paid_by_log(order_id: UUID) -> bool:
    """Whether the events of the order say that it was paid, and not its row alone."""
    document = _from_log([order_id]).get(order_id)
    return document is not None and document.payment_status in PAID


def _from_log(order_ids: Collection[UUID]) -> dict[UUID, OrderDocument | None]:
    """These orders by their events; None where those cannot be read."""
    found: dict[UUID, OrderDocument | None] = {}
    events = event_log.histories(list(order_ids)) if order_ids else []
    for order_id, of_order in groupby(events, attrgetter("order_id")):
        try:
            found[order_id] = rebuild_order(of_order)
        except (BrokenHistory, ValidationError):
            found[order_id] = None
    return found
