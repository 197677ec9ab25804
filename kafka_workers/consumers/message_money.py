"""Money in messages, which any system on the broker may have sent: what JSON and its types let through."""

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct

from foundation.currencies import is_currency
from kafka_workers.runtime.exceptions import InvalidMessage

MOST = Decimal(10**15)
MOST_DECIMALS = 12
_FIELDS = {"total_amount": "totalAmount", "refunded_amount": "refundedAmount"}


def require_money(value: Struct) -> None:
    """Raise InvalidMessage unless the message's amounts and prices are some, and its currency is one.

    An amount is finite, not negative, and of a size that can be written down. Amounts in minor units are
    checked by their type.
    """
    for name, amount in _amounts(value):
        if not (amount.is_finite() and 0 <= amount <= MOST and _decimals(amount) <= MOST_DECIMALS):
            raise InvalidMessage(f"no amount of money: {str(amount)[:30]!r} - at `$.{name}`")
    currency = getattr(value, "currency", None)
    if isinstance(currency, str) and not is_currency(currency):
        raise InvalidMessage(f"no currency: {currency[:10]!r} - at `$.currency`")


def _amounts(value: Struct) -> Iterator[tuple[str, Decimal]]:
    """The amounts in major units, with their names in the message."""
    for field, name in _FIELDS.items():
        if isinstance(amount := getattr(value, field, None), Decimal):
            yield name, amount
    for index, item in enumerate(getattr(value, "items", ())):
        yield f"items[{index}].price", item.price


def _decimals(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
