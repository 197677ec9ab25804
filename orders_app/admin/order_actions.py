"""What staff do with orders, one or many: who may, which orders allow it, what follows from it."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from orders_app.document import CancelCode, CancelReason, OrderDocument
from orders_app.event_log import Origin
from orders_app.exceptions import OrderNotPayable, PaymentUnderWay
from orders_app.models.order import CANCEL_ORDERS, MARK_ORDERS_PAID, SHIP_ORDERS
from orders_app.order_rules import require_payable, require_stock_and_payment, require_transition
from orders_app.services.change_order import cancel_order, change_status, mark_paid, update_order
from orders_app.state_machine import OrderStatus, PaymentStatus, StockStatus
from web.admin_columns import shown_money


class Given(Struct, frozen=True, kw_only=True):
    """What staff have written: the reason of a cancellation; the tracking numbers by order."""

    reason: str = ""
    tracking_numbers: Mapping[UUID, str] = {}


class OrderAction(Struct, frozen=True, kw_only=True):
    """One action. `check` raises the OrderError that `run` would raise; `consequences` says what follows.

    `check` is given whether a token of the order is with the gateway. `status` is the one that the orders
    come to, where the action is about a status.
    """

    name: str
    label: Promise
    permission: str
    explanation: Promise | str = ""
    check: Callable[[OrderDocument, bool], None]
    consequences: Callable[[OrderDocument], Iterator[str]]
    run: Callable[[UUID, Given, Origin], OrderDocument]
    status: OrderStatus | None = None
    asks_reason: bool = False
    asks_tracking: bool = False
    is_destructive: bool = False


def _check_status(status: OrderStatus, order: OrderDocument, _token_sent: bool) -> None:
    require_transition(order, status)
    require_stock_and_payment(order, status)


def _check_paid(order: OrderDocument, token_sent: bool) -> None:
    require_payable(order)
    if order.payment_status == PaymentStatus.PAID:
        raise OrderNotPayable("it is paid already")
    if order.is_payment_under_way and token_sent:
        raise PaymentUnderWay


def _move(status: OrderStatus, order_id: UUID, _given: Given, origin: Origin) -> OrderDocument:
    return change_status(order_id=order_id, new_status=status, origin=origin)


def _ship(order_id: UUID, given: Given, origin: Origin) -> OrderDocument:
    if number := given.tracking_numbers.get(order_id):
        update_order(order_id=order_id, tracking_number=number, origin=origin)
    return change_status(order_id=order_id, new_status=OrderStatus.SHIPPED, origin=origin)


def _cancel(order_id: UUID, given: Given, origin: Origin) -> OrderDocument:
    reason = CancelReason(CancelCode.STAFF_REQUEST, given.reason)
    return cancel_order(order_id=order_id, reason=reason, origin=origin)


def _mark_paid(order_id: UUID, _given: Given, origin: Origin) -> OrderDocument:
    return mark_paid(order_id=order_id, origin=origin)


def _when_processed(_order: OrderDocument) -> Iterator[str]:
    yield gettext("The customer is told that it is confirmed.")


def _when_shipped(_order: OrderDocument) -> Iterator[str]:
    yield gettext("The customer is told, with the tracking number.")


def _when_delivered(order: OrderDocument) -> Iterator[str]:
    if not order.is_prepaid and order.payment_status == PaymentStatus.PENDING:
        total = shown_money(order.total_amount, order.currency)
        yield gettext("%(amount)s count as paid on delivery.") % {"amount": total}
    yield gettext("That is final, and the customer is told.")


def _when_cancelled(order: OrderDocument) -> Iterator[str]:
    if order.stock_status in {StockStatus.RESERVED, StockStatus.PENDING}:
        yield gettext("Its stock goes back on sale.")
    if order.refundable_amount:
        amount = shown_money(order.refundable_amount, order.currency)
        yield gettext("%(amount)s go back to the customer.") % {"amount": amount}
    elif order.is_payment_under_way:
        yield gettext("A payment is under way: what is taken goes back.")
    elif order.payment_status == PaymentStatus.PAID and order.total_amount:
        yield gettext("It was paid otherwise than here: give the money back yourself.")
    if order.status == OrderStatus.SHIPPED:
        yield gettext("It has been shipped: the parcel is on its way all the same.")


def _when_paid(order: OrderDocument) -> Iterator[str]:
    total = shown_money(order.total_amount, order.currency)
    yield gettext("%(amount)s count as paid.") % {"amount": total}
    if order.status == OrderStatus.PENDING and order.stock_status == StockStatus.RESERVED:
        yield gettext("It becomes Processing.")


PROCESS = OrderAction(
    name="process",
    label=_("Mark as processing"),
    explanation=_("Orders come to Processing by themselves once they have their stock and payment."),
    permission=SHIP_ORDERS,
    status=OrderStatus.PROCESSING,
    check=partial(_check_status, OrderStatus.PROCESSING),
    consequences=_when_processed,
    run=partial(_move, OrderStatus.PROCESSING),
)
SHIP = OrderAction(
    name="ship",
    label=_("Mark as shipped"),
    permission=SHIP_ORDERS,
    status=OrderStatus.SHIPPED,
    check=partial(_check_status, OrderStatus.SHIPPED),
    consequences=_when_shipped,
    run=_ship,
    asks_tracking=True,
)
DELIVER = OrderAction(
    name="deliver",
    label=_("Mark as delivered"),
    permission=SHIP_ORDERS,
    status=OrderStatus.DELIVERED,
    check=partial(_check_status, OrderStatus.DELIVERED),
    consequences=_when_delivered,
    run=partial(_move, OrderStatus.DELIVERED),
)
MARK_PAID = OrderAction(
    name="mark_paid",
    label=_("Mark as paid"),
    explanation=_("For money that did not come through the payment gateway."),
    permission=MARK_ORDERS_PAID,
    check=_check_paid,
    consequences=_when_paid,
    run=_mark_paid,
)
CANCEL = OrderAction(
    name="cancel",
    label=_("Cancel"),
    explanation=_("A cancelled order cannot be taken up again."),
    permission=CANCEL_ORDERS,
    status=OrderStatus.CANCELLED,
    check=partial(_check_status, OrderStatus.CANCELLED),
    consequences=_when_cancelled,
    run=_cancel,
    asks_reason=True,
    is_destructive=True,
)
ACTIONS: Mapping[str, OrderAction] = {
    action.name: action for action in (SHIP, DELIVER, MARK_PAID, PROCESS, CANCEL)
}
"""By name, in the order in which the list offers them."""
