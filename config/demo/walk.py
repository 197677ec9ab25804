"""The steps of a demo order, made by the services' own steps, each at its time."""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from msgspec import Struct

from config.demo.plan import Fate, PlannedOrder, dice_for
from kafka_workers.consumers.orders import ACTOR as STOCK_ACTOR
from kafka_workers.consumers.orders import PAYMENTS_ACTOR
from orders_app.document import OrderDocument, PaymentFailure
from orders_app.event_log import NewEvent, Origin
from orders_app.hold_expiry import EXPIRY_ORIGIN
from orders_app.models.payment_rows import PaymentRows
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER, CANCELLED_BY_STAFF
from orders_app.services.expire_holds import HOLD_EXPIRED
from orders_app.services.locked_order import LockedOrder
from orders_app.services.rejection import explain_rejection
from orders_app.services.stock_answers import StockShortage
from orders_app.state_machine import MAX_DECLINES, OrderStatus, PaymentMethod, StockStatus

_DECLINES = (
    PaymentFailure("insufficient_funds", "Your card has insufficient funds."),
    PaymentFailure("card_declined", "Your card was declined."),
    PaymentFailure("expired_card", "Your card has expired."),
)
_TOKEN = "pm_card_chargeDeclined"  # noqa: S105 - a test card; it is deleted by the transaction that keeps it

Change = Callable[[LockedOrder], None]
Step = tuple[timedelta, str, Change]
"""How long after the order was placed, by which actor, and what."""


class People(Struct, frozen=True):
    """The actors of an order: who placed it, and who works on it."""

    customer: str
    staff: str


class Walked(Struct):
    """An order as its steps have left it, with the events and the rows of payments that they caused."""

    placed: OrderDocument
    document: OrderDocument
    events: list[NewEvent]
    payment_rows: list[PaymentRows]


def walk(
    placed: OrderDocument,
    plan: PlannedOrder,
    people: People,
    *,
    until: datetime,
    shortages: Sequence[StockShortage] = (),
) -> Walked:
    """Let the order go through the steps of its fate that were due by then.

    `shortages` are why the stock service rejected it, where it did.
    """
    walked = Walked(placed, placed, [], [])
    for after, actor, change in _steps(plan, people, shortages):
        moment = plan.placed_at + after
        if moment > until:
            break
        order = LockedOrder(walked.document, Origin(actor), moment)
        change(order)
        walked.document = order.document
        walked.events += order.events
        walked.payment_rows.append(order.payment_rows)
    return walked


def _steps(plan: PlannedOrder, people: People, shortages: Sequence[StockShortage]) -> Iterator[Step]:
    dice = dice_for(plan.key)
    settled = timedelta(milliseconds=dice.randint(80, 900))
    if plan.fate == Fate.REJECTED:
        yield settled, STOCK_ACTOR, partial(_reject, shortages=shortages)
        return
    yield settled, STOCK_ACTOR, LockedOrder.confirm_stock
    if plan.fate == Fate.DELIVERED:
        yield from _delivery(plan, people, dice)
    elif plan.fate == Fate.DECLINED:
        yield from _declines(people, dice)
    else:
        yield from _cancellation(plan.fate, people, dice)


def _delivery(plan: PlannedOrder, people: People, dice: random.Random) -> Iterator[Step]:
    if plan.method != PaymentMethod.CASH_ON_DELIVERY:
        paid = timedelta(minutes=dice.uniform(1, 0.9 * settings.HOLD_MINUTES))
        yield paid, people.staff, LockedOrder.mark_paid
    shipped = timedelta(hours=dice.triangular(3, 60, 20))
    yield shipped, people.staff, partial(_ship, tracking_number=f"1Z{dice.randrange(10**9, 10**10)}")
    delivered = shipped + timedelta(hours=dice.triangular(20, 130, 48))
    yield delivered, people.staff, partial(LockedOrder.move_to, status=OrderStatus.DELIVERED)


def _declines(people: People, dice: random.Random) -> Iterator[Step]:
    """As many declines as cancel the order; its stock goes back."""
    after = timedelta(seconds=2)
    for _ in range(MAX_DECLINES):
        failure = dice.choice(_DECLINES)
        yield after, people.customer, partial(LockedOrder.pay, token=_TOKEN)
        after += timedelta(seconds=dice.uniform(0.5, 2))
        yield after, PAYMENTS_ACTOR, partial(LockedOrder.fail_payment, payment_id="", failure=failure)
        last, after = after, after + timedelta(seconds=dice.uniform(30, 240))
    yield last + timedelta(seconds=1), STOCK_ACTOR, _record_release


def _cancellation(fate: Fate, people: People, dice: random.Random) -> Iterator[Step]:
    after, actor, reason = {
        Fate.NOT_PAID: (timedelta(minutes=settings.HOLD_MINUTES), EXPIRY_ORIGIN.actor, HOLD_EXPIRED),
        Fate.CANCELLED_BY_CUSTOMER: (
            timedelta(minutes=dice.uniform(3, 170)),
            people.customer,
            CANCELLED_BY_CUSTOMER,
        ),
        Fate.CANCELLED_BY_STAFF: (timedelta(hours=dice.uniform(1, 3)), people.staff, CANCELLED_BY_STAFF),
    }[fate]
    yield after, actor, partial(LockedOrder.cancel, reason=reason)
    yield after + timedelta(seconds=1), STOCK_ACTOR, _record_release


def _ship(order: LockedOrder, tracking_number: str) -> None:
    order.edit(None, tracking_number)
    order.move_to(OrderStatus.SHIPPED)


def _record_release(order: LockedOrder) -> None:
    order.record_stock_status(StockStatus.RELEASED)


def _reject(order: LockedOrder, shortages: Sequence[StockShortage]) -> None:
    products = tuple(shortage.product_id for shortage in shortages)
    order.cancel(explain_rejection(order.document, shortages), StockStatus.REJECTED, products)
