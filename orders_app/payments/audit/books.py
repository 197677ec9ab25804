"""The gateway's books: what was taken, for which order, and what of it went back."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable

from msgspec import Struct

from orders_app.payments.gateway import Gateway, GatewayPayment, PaymentState


class Taken(Struct, frozen=True, kw_only=True):
    """A payment by which money was taken, and how much of it went back, in minor units."""

    payment_id: str
    order_id: str
    attempt: str
    amount: int
    currency: str
    returned: int

    @property
    def is_gone(self) -> bool:
        """Whether all of it went back."""
        return self.returned >= self.amount


class Books(Struct, frozen=True):
    """The payments by which money was taken: by their ids, and the ids by the orders that they name."""

    taken: dict[str, Taken]
    of_order: dict[str, list[str]]


def read_books(gateway: Gateway) -> Books:
    """All books, as they are while they are read. Raises GatewayUnavailable or AnswerMissing."""
    # Refunds first: of a payment that is in the books, none can be missing that was made before it was read.
    returned: Counter[str] = Counter()
    for refund in gateway.refunds():
        returned[refund.payment_id] += 0 if refund.has_failed else refund.amount
    return _books(
        _taken(payment, returned[payment.id]) for payment in gateway.payments() if _is_taken(payment)
    )


def read_again(gateway: Gateway, payment_ids: Collection[str]) -> Books:
    """The books of these payments alone. Raises GatewayUnavailable or AnswerMissing."""
    found = (gateway.payment(payment_id) for payment_id in payment_ids)
    return _books(
        _taken(payment, returned_of(gateway, payment.id))
        for payment in found
        if payment and _is_taken(payment)
    )


def returned_of(gateway: Gateway, payment_id: str) -> int:
    """How much of one payment went back, in minor units. Raises GatewayUnavailable or AnswerMissing."""
    return sum(refund.amount for refund in gateway.refunds(payment_id) if not refund.has_failed)


def _is_taken(payment: GatewayPayment) -> bool:
    return payment.state == PaymentState.SUCCEEDED


def _taken(payment: GatewayPayment, returned: int) -> Taken:
    return Taken(
        payment_id=payment.id,
        order_id=payment.order_id,
        attempt=payment.attempt,
        amount=payment.amount,
        currency=payment.currency,
        returned=returned,
    )


def _books(payments: Iterable[Taken]) -> Books:
    taken = {payment.payment_id: payment for payment in payments}
    of_order: defaultdict[str, list[str]] = defaultdict(list)
    for payment in taken.values():
        of_order[payment.order_id].append(payment.payment_id)
    return Books(taken, of_order)
