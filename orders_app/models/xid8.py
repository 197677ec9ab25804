"""A Django field for PostgreSQL's 64-bit transaction ids."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression, Func

if TYPE_CHECKING:
    _IntegerField = models.BigIntegerField[int, int]
else:
    _IntegerField = models.BigIntegerField


class Xid8Field(_IntegerField):
    """A transaction id; an int in Python.

    PostgreSQL cannot cast an integer to xid8, and psycopg reads xid8 as text, so values are sent and read as
    text. Compare and sort by the column itself and not by its text, which sorts differently.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """The type of the column."""
        return "xid8"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        """The id as text without a type, which PostgreSQL converts to xid8."""
        if value is None or isinstance(value, Expression):
            return value
        return str(int(value))

    def from_db_value(
        self, value: str | None, expression: Any, connection: BaseDatabaseWrapper
    ) -> int | None:
        """The id as an int."""
        return None if value is None else int(value)


class CurrentTransactionId(Func):
    """The id of the current transaction; PostgreSQL assigns one if the transaction has none yet."""

    function = "pg_current_xact_id"
    arity = 0
    output_field = Xid8Field()
