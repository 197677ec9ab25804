"""PostgreSQL's 64-bit transaction ids in Django."""

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

    PostgreSQL casts no integer to xid8 and psycopg reads it as text, so it travels as text both ways. Compare
    and order by the column itself: its text sorts differently.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """The column's type."""
        return "xid8"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        """A text of unknown type, which PostgreSQL takes as an xid8."""
        if value is None or isinstance(value, Expression):
            return value
        return str(int(value))

    def from_db_value(
        self, value: str | None, expression: Any, connection: BaseDatabaseWrapper
    ) -> int | None:
        """The id as a number."""
        return None if value is None else int(value)


class CurrentTransactionId(Func):
    """The id of the transaction in hand, given to it now if it has none."""

    function = "pg_current_xact_id"
    arity = 0
    output_field = Xid8Field()
