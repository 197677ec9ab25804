"""Amounts of money in the minor units of their currency, as payment gateways count."""

from decimal import Decimal

DECIMALS = 2


def to_minor_units(amount: Decimal, currency: str) -> int:
    """The amount in the smallest unit of this currency: 12.50 USD are 1250.

    Raises ValueError where the amount has more decimals than the currency.
    """
    shifted = amount.scaleb(DECIMALS)
    if shifted != shifted.to_integral_value():
        raise ValueError(f"{amount} has more decimals than {currency}")
    return int(shifted)
