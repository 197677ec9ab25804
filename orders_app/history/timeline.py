"""How far an order is, for people: its stages, those that are done, the one at hand and those ahead."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext, pgettext
from msgspec import Struct

from orders_app.customer_sentences import translated
from orders_app.document import REJECTIONS, CancelCode, OrderDocument
from orders_app.history.steps import Step
from orders_app.state_machine import OrderStatus, PaymentStatus, StockStatus


class StageState(StrEnum):
    """How far a stage is. `FAILED` also of the end of a cancelled order."""

    DONE = "done"
    CURRENT = "current"
    AHEAD = "ahead"
    FAILED = "failed"


class Stage(Struct, frozen=True):
    """A stage on the way of an order; `title` and `detail` say how far it is, in the active language.

    `name` is for programs: placed, stock, payment, shipped, delivered, cancelled or refund. `time` is when it
    was done or failed. `tracking_number` is that of a shipment.
    """

    name: str
    state: StageState
    title: str
    detail: str = ""
    time: datetime | None = None
    tracking_number: str = ""


class _Known(Struct, frozen=True):
    """What the stages are made of: the order as it is, and the steps of its history."""

    order: OrderDocument
    steps: Sequence[Step]

    def since(self, holds: Callable[[OrderDocument], bool]) -> datetime | None:
        """The time of the last step that made this true of the order; None where it never was."""
        found = None
        for step in self.steps:
            was_so = step.before is not None and holds(step.before)
            if step.after is not None and holds(step.after) and not was_so:
                found = step.event.created_at
        return found

    @property
    def is_cancelled(self) -> bool:
        """Whether nothing follows but, maybe, money that goes back."""
        return self.order.status == OrderStatus.CANCELLED


def timeline_of(order: OrderDocument, steps: Sequence[Step]) -> list[Stage]:
    """The stages of this order, whose history has these steps; of a cancelled order without those ahead."""
    known = _Known(order, steps)
    return [stage for stages in _STAGES for stage in stages(known)]


def _placed(known: _Known) -> Iterator[Stage]:
    yield Stage("placed", StageState.DONE, pgettext("stage", "Placed"), time=known.order.created_at)


def _stock(known: _Known) -> Iterator[Stage]:
    order = known.order
    reserved_at = known.since(lambda order: order.stock_status == StockStatus.RESERVED)
    if order.cancel_reason and order.cancel_reason.code in REJECTIONS:
        title, detail = gettext("Not enough in stock"), translated(order.cancel_reason.detail)
        yield Stage("stock", StageState.FAILED, title, detail, order.cancelled_at)
    elif order.stock_status == StockStatus.PENDING and not known.is_cancelled:
        yield Stage("stock", StageState.CURRENT, gettext("Reserving the stock"))
    elif reserved_at and reserved_at <= (order.cancelled_at or reserved_at):
        yield Stage("stock", StageState.DONE, gettext("Stock reserved"), time=reserved_at)


def _payment(known: _Known) -> Iterator[Stage]:
    order = known.order
    if not order.is_prepaid or not order.total_amount:
        return
    match order.payment_status:
        case PaymentStatus.PAID | PaymentStatus.REFUNDED:
            paid_at = order.paid_at or known.since(lambda order: order.payment_status == PaymentStatus.PAID)
            yield Stage("payment", StageState.DONE, gettext("Paid"), time=paid_at)
        case PaymentStatus.FAILED:
            yield _declined_payment(known)
        case PaymentStatus.PENDING if not known.is_cancelled:
            yield _awaited_payment(order)
        case _ if order.cancel_reason and order.cancel_reason.code == CancelCode.HOLD_EXPIRED:
            yield Stage("payment", StageState.FAILED, gettext("Not paid in time"), time=order.cancelled_at)


def _declined_payment(known: _Known) -> Stage:
    failure = known.order.payment_failure
    return Stage(
        "payment",
        StageState.FAILED,
        gettext("Payment declined"),
        detail=translated(failure.detail) if failure else "",
        time=known.since(lambda order: order.payment_status == PaymentStatus.FAILED),
    )


def _awaited_payment(order: OrderDocument) -> Stage:
    if order.stock_status != StockStatus.RESERVED:
        return Stage("payment", StageState.AHEAD, gettext("Payment"))
    if order.is_payment_under_way:
        return Stage("payment", StageState.CURRENT, gettext("Payment under way"))
    return Stage("payment", StageState.CURRENT, gettext("Waiting for the payment"))


def _shipped(known: _Known) -> Iterator[Stage]:
    order = known.order
    if order.shipped_at or order.status in (OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        number = order.tracking_number or ""
        yield Stage(
            "shipped", StageState.DONE, gettext("Shipped"), time=order.shipped_at, tracking_number=number
        )
    elif order.status == OrderStatus.PROCESSING:
        yield Stage("shipped", StageState.CURRENT, gettext("Being packed"))
    elif not known.is_cancelled:
        yield Stage("shipped", StageState.AHEAD, gettext("Shipped"))


def _delivered(known: _Known) -> Iterator[Stage]:
    order = known.order
    on_delivery = "" if order.is_prepaid else _on_delivery(order)
    match order.status:
        case OrderStatus.DELIVERED:
            yield Stage(
                "delivered", StageState.DONE, gettext("Delivered"), on_delivery, time=order.delivered_at
            )
        case OrderStatus.SHIPPED:
            yield Stage("delivered", StageState.CURRENT, gettext("On its way"), on_delivery)
        case OrderStatus.PENDING | OrderStatus.PROCESSING:
            yield Stage("delivered", StageState.AHEAD, gettext("Delivered"), on_delivery)


def _on_delivery(order: OrderDocument) -> str:
    amount = {"amount": f"{order.total_amount} {order.currency}"}
    if order.payment_status == PaymentStatus.PAID:
        return gettext("%(amount)s was paid.") % amount
    return gettext("%(amount)s is to be paid on delivery.") % amount


def _cancelled(known: _Known) -> Iterator[Stage]:
    if not known.is_cancelled:
        return
    reason = known.order.cancel_reason
    # What was short is said where the stock is.
    is_told = reason is None or reason.code in REJECTIONS
    detail = "" if is_told or reason is None else translated(reason.detail)
    yield Stage("cancelled", StageState.FAILED, gettext("Cancelled"), detail, time=known.order.cancelled_at)


def _refund(known: _Known) -> Iterator[Stage]:
    order = known.order
    on_its_way = order.refund_requested_amount - order.refunded_amount
    if on_its_way:
        detail = gettext("%(amount)s will be given back.") % {"amount": f"{on_its_way} {order.currency}"}
        yield Stage("refund", StageState.CURRENT, gettext("Money on its way back"), detail)
    elif order.refunded_amount:
        amount = {"amount": f"{order.refunded_amount} {order.currency}"}
        time = known.since(lambda earlier: earlier.refunded_amount == order.refunded_amount)
        detail = gettext("%(amount)s went back.") % amount
        yield Stage("refund", StageState.DONE, gettext("Money given back"), detail, time)


_STAGES: Sequence[Callable[[_Known], Iterator[Stage]]] = (
    _placed,
    _stock,
    _payment,
    _shipped,
    _delivered,
    _cancelled,
    _refund,
)
