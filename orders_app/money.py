"""Amounts of money in the minor units of their currency, as payment gateways and messages count."""

from decimal import Decimal

from foundation.currencies import decimals_of, smallest_unit


def to_minor_units(amount: Decimal, currency: str) -> int:
    """The amount in the smallest unit of this currency: 12.50 USD are 1250, 1250 JPY are 1250.

    Raises ValueError where the amount has more decimals than the currency, or the currency is unknown.
    """
    shifted = amount.scaleb(decimals_of(currency))
    if shifted != shifted.to_integral_value():
        raise ValueError(f"{amount} has more decimals than {currency}")
    return int(shifted)


def from_minor_units(minor_units: int, currency: str) -> Decimal:
    """The amount, with the decimals of its currency. Raises ValueError where the currency is unknown."""
    return Decimal(minor_units) * smallest_unit(currency)
