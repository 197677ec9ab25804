"""Paying an order by a token, and asking what became of a payment (docs/payments.md)."""

from uuid import UUID

from orders_app.document import OrderDocument
from orders_app.event_log import Origin
from orders_app.models import Order, Payment, PaymentToken
from orders_app.services.locking import locked_order, locked_orders
from orders_app.services.payment_gateway import require_payment_gateway


def pay_order(
    *, order_id: UUID, token: str, origin: Origin, attempts_seen: int | None = None
) -> OrderDocument:
    """Begin an attempt to pay the order by this token; the order as it is then.

    The token is charged as soon as the stock is reserved. The same token again, while it waits or is being
    charged, is the same request. With `attempts_seen`, nothing is begun where the order has had another
    number of attempts by now, so that a form that is sent twice is one attempt, however soon that fails.
    Raises OrderNotFound, PaymentsUnavailable, OrderNotPayable, or PaymentUnderWay for another token.
    """
    require_payment_gateway()
    with locked_order(order_id, origin) as order:
        is_seen = attempts_seen in {None, order.document.payment_attempts}
        if is_seen and not _is_under_way(order.document, token):
            order.pay(token)
    return order.document


def is_look_up_due(*, order_id: UUID, attempt: int, succeeded: bool) -> bool:
    """Whether `request_payment_look_up` would be done now; changes and locks nothing."""
    made = Order.objects.filter(pk=order_id, payment_attempts__gte=attempt)
    return attempt >= 1 and made.exists() and not _has_ended(order_id, attempt, succeeded)


def request_payment_look_up(
    *, order_id: UUID, attempt: int, payment_id: str, origin: Origin, succeeded: bool = False
) -> bool:
    """Ask what became of this payment for an attempt that has not ended; whether that was done.

    With `succeeded` the gateway says that the money was taken: an attempt that ended as failed is asked about
    too. Not done for an order that does not exist, or an attempt that it never made.
    """
    with locked_orders([order_id], origin) as orders:
        order = orders.get(order_id)
        if order is None or not 1 <= attempt <= order.document.payment_attempts:
            return False
        if _has_ended(order_id, attempt, succeeded):
            return False
        order.request_payment(attempt, payment_id)
    return True


def _is_under_way(order: OrderDocument, token: str) -> bool:
    attempt = PaymentToken.objects.filter(order_id=order.id, attempt=order.payment_attempts, token=token)
    return order.is_payment_under_way and attempt.exists()


def _has_ended(order_id: UUID, attempt: int, succeeded: bool) -> bool:
    ended = Payment.objects.filter(order_id=order_id, attempt=attempt)
    return (ended.filter(state=Payment.State.SUCCEEDED) if succeeded else ended).exists()
