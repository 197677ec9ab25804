"""Which orders the demo's customers place on a day: the same for each run, as the day alone decides it."""

import random
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, auto

from msgspec import Struct

from orders_app.state_machine import PaymentMethod

_ORDERS_A_DAY = 34
_BY_WEEKDAY = (1.0, 0.9, 0.95, 1.0, 1.15, 1.3, 1.25)
_BY_HOUR = (1, 1, 0, 0, 0, 1, 2, 4, 6, 7, 8, 8, 9, 8, 7, 7, 8, 9, 11, 13, 14, 12, 7, 3)
_ALICE, _BOB, _OTHERS = 14, 8, 3
"""How often these customers order, compared with each other; alice and bob can sign in and have a history."""


class Fate(Enum):
    """What becomes of an order."""

    DELIVERED = auto()
    CANCELLED_BY_CUSTOMER = auto()
    CANCELLED_BY_STAFF = auto()
    NOT_PAID = auto()
    DECLINED = auto()
    REJECTED = auto()


_FATES = {
    Fate.DELIVERED: 84,
    Fate.CANCELLED_BY_CUSTOMER: 5,
    Fate.CANCELLED_BY_STAFF: 1,
    Fate.NOT_PAID: 4,
    Fate.DECLINED: 3,
    Fate.REJECTED: 3,
}
_METHODS = {
    PaymentMethod.CASH_ON_DELIVERY: 55,
    PaymentMethod.NET_BANKING: 25,
    PaymentMethod.UPI: 12,
    PaymentMethod.WALLET: 8,
}


class PlannedOrder(Struct, frozen=True):
    """An order that is to be placed: `customer` and `products` are positions in the lists of the demo."""

    key: str
    placed_at: datetime
    customer: int
    products: tuple[tuple[int, int], ...]
    method: PaymentMethod
    fate: Fate


def orders_of(day: date, *, customers: int, products: int) -> list[PlannedOrder]:
    """The orders of a day (UTC), in the order of their times."""
    dice = dice_for(day.isoformat())
    number = round(_ORDERS_A_DAY * _BY_WEEKDAY[day.weekday()] * dice.uniform(0.85, 1.2))
    times = sorted(_moment(day, dice) for _ in range(number))
    return [
        _order(f"seed_demo {day} {index}", at, dice, customers=customers, products=products)
        for index, at in enumerate(times)
    ]


def dice_for(text: str) -> random.Random:
    """Numbers that look like chance and are the same for the same text."""
    return random.Random(text)  # noqa: S311 - nothing secret is made of them


def days_until(moment: datetime, number: int) -> list[date]:
    """So many days, the last of which is that of the moment."""
    last = moment.astimezone(UTC).date()
    return [last - timedelta(days=back) for back in reversed(range(number))]


def _moment(day: date, dice: random.Random) -> datetime:
    hour = dice.choices(range(24), _BY_HOUR)[0]
    start = datetime.combine(day, time(hour, tzinfo=UTC))
    return start + timedelta(seconds=dice.uniform(0, 3599))


def _order(key: str, at: datetime, dice: random.Random, *, customers: int, products: int) -> PlannedOrder:
    fate = dice.choices(list(_FATES), list(_FATES.values()))[0]
    return PlannedOrder(
        key=key,
        placed_at=at,
        customer=dice.choices(range(customers), [_ALICE, _BOB, *[_OTHERS] * (customers - 2)])[0],
        products=_lines(dice, products),
        method=_method(fate, dice),
        fate=fate,
    )


def _lines(dice: random.Random, products: int) -> tuple[tuple[int, int], ...]:
    """Mostly one or two products; some are wanted more than others."""
    wanted = [1 + (index * 7919) % 13 for index in range(products)]
    chosen = dict.fromkeys(
        dice.choices(range(products), wanted, k=dice.choices((1, 2, 3, 4), (55, 28, 12, 5))[0])
    )
    return tuple((index, dice.choices((1, 2, 3), (78, 17, 5))[0]) for index in chosen)


def _method(fate: Fate, dice: random.Random) -> PaymentMethod:
    """Cancelled orders were to be paid on delivery: of the others money would have to go back."""
    if fate == Fate.DECLINED:
        return PaymentMethod.CREDIT_CARD
    if fate in {Fate.CANCELLED_BY_CUSTOMER, Fate.CANCELLED_BY_STAFF}:
        return PaymentMethod.CASH_ON_DELIVERY
    cash = PaymentMethod.CASH_ON_DELIVERY
    methods = [each for each in _METHODS if fate != Fate.NOT_PAID or each != cash]
    return dice.choices(methods, [_METHODS[each] for each in methods])[0]
