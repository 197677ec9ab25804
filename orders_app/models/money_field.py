"""A Django field for amounts of money."""

from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

WHOLE_DIGITS, MOST_DECIMALS = 12, 3

_Set = TypeVar("_Set")
_Get = TypeVar("_Get")

if TYPE_CHECKING:
    from django.db.models import DecimalField as _DecimalField
else:

    class _DecimalField(models.DecimalField):
        def __class_getitem__(cls, _: Any) -> type[models.DecimalField]:
            return models.DecimalField


class MoneyField(_DecimalField[_Set, _Get]):
    """An amount with the decimals of its currency, which differ: 12.50 USD, 1250 JPY, 1.250 KWD.

    The column has no scale of its own, so that PostgreSQL keeps each amount with the decimals that it was
    written with.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"max_digits": WHOLE_DIGITS + MOST_DECIMALS, "decimal_places": MOST_DECIMALS}
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Without the digits, which are the same for every amount."""
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """The type of the column."""
        return "numeric"
