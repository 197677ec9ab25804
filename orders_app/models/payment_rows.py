"""Rows of the payment tables, written by statements that a transaction of any connection may execute."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from msgspec import Struct

from orders_app.models.payment import Payment, Refund
from orders_app.models.rows import as_json


class WaitingToken(Struct, frozen=True):
    """The token of an attempt that begins."""

    order_id: UUID
    attempt: int
    token: str
    created_at: datetime

    def __repr__(self) -> str:
        """Without the token: a value may be shown with an error."""
        return f"WaitingToken(order_id={self.order_id!r}, attempt={self.attempt})"


class EndedAttempt(Struct, frozen=True, kw_only=True):
    """An attempt that has ended; its token goes. A failure that was none in the end becomes a success."""

    order_id: UUID
    attempt: int
    amount: Decimal
    currency: str
    state: Payment.State
    payment_id: str
    code: str = ""
    detail: str = ""
    ended_at: datetime


class RequestedRefund(Struct, frozen=True, kw_only=True):
    """A refund that is asked for."""

    order_id: UUID
    version: int
    attempt: int
    payment_id: str
    amount: Decimal
    currency: str
    reason: str
    actor: str
    idempotency_key: str
    requested_at: datetime
    state: Refund.State = Refund.State.REQUESTED
    refund_id: str = ""
    code: str = ""
    detail: str = ""


class EndedRefund(Struct, frozen=True, kw_only=True):
    """How a refund has ended."""

    order_id: UUID
    version: int
    state: Refund.State
    refund_id: str = ""
    code: str = ""
    detail: str = ""
    ended_at: datetime


class PaymentRows:
    """The rows of payments that are written with the events of one order."""

    def __init__(self, order_id: UUID) -> None:
        self.order_id = order_id
        self.tokens: list[WaitingToken] = []
        self.ended: dict[int, EndedAttempt] = {}
        self.refunds: list[RequestedRefund] = []
        self.ended_refunds: dict[int, EndedRefund] = {}
        self.calls_off_unsent = False


INSERT_TOKENS = """
INSERT INTO payment_token (order_id, attempt, token, created_at)
SELECT order_id, attempt, token, created_at FROM json_populate_recordset(NULL::payment_token, %s::json)
"""
_END_ATTEMPTS = """
WITH ended AS (
    INSERT INTO order_payment (
        order_id, attempt, amount, currency, state, payment_id, code, detail, ended_at
    )
    SELECT order_id, attempt, amount, currency, state, payment_id, code, detail, ended_at
    FROM json_populate_recordset(NULL::order_payment, %s::json)
    ON CONFLICT (order_id, attempt) DO UPDATE SET
        state = excluded.state, payment_id = excluded.payment_id, code = '', detail = '',
        ended_at = excluded.ended_at
    WHERE order_payment.state = 'failed' AND excluded.state = 'succeeded'
    RETURNING order_id, attempt
)
DELETE FROM payment_token USING ended
WHERE payment_token.order_id = ended.order_id AND payment_token.attempt = ended.attempt
"""
_CALL_OFF = """
DELETE FROM payment_token USING json_populate_recordset(NULL::payment_token, %s::json) AS called_off
WHERE payment_token.order_id = called_off.order_id AND payment_token.sent_at IS NULL
"""
_INSERT_REFUNDS = """
INSERT INTO order_refund (
    order_id, version, attempt, payment_id, amount, currency, reason, state, refund_id, code, detail, actor,
    idempotency_key, requested_at
)
SELECT
    order_id, version, attempt, payment_id, amount, currency, reason, state, refund_id, code, detail, actor,
    idempotency_key, requested_at
FROM json_populate_recordset(NULL::order_refund, %s::json)
"""
_END_REFUNDS = """
UPDATE order_refund SET
    state = ended.state, refund_id = ended.refund_id, code = ended.code, detail = ended.detail,
    ended_at = ended.ended_at
FROM json_populate_recordset(NULL::order_refund, %s::json) AS ended
WHERE order_refund.order_id = ended.order_id AND order_refund.version = ended.version
"""


def write_payment_rows(orders: Iterable[PaymentRows], database: BaseDatabaseWrapper) -> None:
    """Write the rows of these orders in the open transaction of this connection."""
    rows = list(orders)
    _execute(INSERT_TOKENS, [token for order in rows for token in order.tokens], database)
    _execute(_END_ATTEMPTS, [ended for order in rows for ended in order.ended.values()], database)
    called_off = [{"order_id": order.order_id} for order in rows if order.calls_off_unsent]
    _execute(_CALL_OFF, called_off, database)
    _execute(_INSERT_REFUNDS, [refund for order in rows for refund in order.refunds], database)
    _execute(_END_REFUNDS, [ended for order in rows for ended in order.ended_refunds.values()], database)


def _execute(statement: str, rows: Sequence[object], database: BaseDatabaseWrapper) -> None:
    if rows:
        with database.cursor() as cursor:
            cursor.execute(statement, [as_json(rows)])
