"""Amounts and their minor units, by the decimals of each currency."""

from decimal import Decimal

import pytest

from orders_app.money import from_minor_units, to_minor_units


@pytest.mark.parametrize(
    ("amount", "currency", "minor_units"),
    [
        ("12.50", "USD", 1250),
        ("0.01", "EUR", 1),
        ("0.00", "USD", 0),
        ("1250", "JPY", 1250),
        ("1.250", "KWD", 1250),
        ("0.001", "BHD", 1),
        ("999999999999.999", "KWD", 999999999999999),
    ],
)
def test_an_amount_and_its_minor_units_are_the_same_both_ways(
    amount: str, currency: str, minor_units: int
) -> None:
    assert to_minor_units(Decimal(amount), currency) == minor_units
    assert str(from_minor_units(minor_units, currency)) == amount


@pytest.mark.parametrize(
    ("amount", "currency"), [("12.505", "USD"), ("0.5", "JPY"), ("1", "XXX"), ("1", "usd")]
)
def test_what_cannot_be_paid_in_a_currency_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match=currency):
        to_minor_units(Decimal(amount), currency)
