"""What may be asked of the gateway: tokens of attempts that have not ended, refunds that orders asked for.

Other programs may write to the topics too: nothing is asked for but what the orders' own tables agree with.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from django.db import connection
from django.db.models import QuerySet
from msgspec import Struct

from orders_app.messages import PaymentRefundRequested, PaymentRequested
from orders_app.models import Payment, PaymentToken, Refund
from orders_app.money import from_minor_units

Wanted = tuple[str, int, int, str]
"""What a request asks for: order, attempt, amount in minor units and currency."""

# Committed before anything is sent: from then on a cancellation leaves the token and waits for the answer.
_CLAIM = """
WITH wanted AS (
    SELECT * FROM json_to_recordset(%s::json)
    AS (order_id uuid, attempt int, amount numeric, minor_units bigint, currency text)
)
UPDATE payment_token AS token SET sent_at = coalesce(token.sent_at, now())
FROM wanted, orders_order
WHERE token.order_id = wanted.order_id AND token.attempt = wanted.attempt
    AND orders_order.id = wanted.order_id
    AND orders_order.total_amount = wanted.amount AND orders_order.currency = wanted.currency
RETURNING token.order_id::text, token.attempt, wanted.minor_units, wanted.currency, token.token, token.sent_at
"""


class ClaimedToken(Struct, frozen=True):
    """A token that may be sent to the gateway, and when it was sent first."""

    token: str
    sent_at: datetime

    def __repr__(self) -> str:
        """Without the token."""
        return f"ClaimedToken({self.sent_at})"


def wanted_by(request: PaymentRequested) -> Wanted:
    """What the request asks for."""
    return request.order_id, request.attempt, request.amount, request.currency


def claim_tokens(requests: Sequence[PaymentRequested]) -> dict[Wanted, ClaimedToken]:
    """The tokens by which these requests may be charged, from now on marked as sent.

    Left out are attempts that have ended or were called off, and requests for another amount.
    """
    if not requests:
        return {}
    wanted = [
        {
            "order_id": request.order_id,
            "attempt": request.attempt,
            "amount": from_minor_units(request.amount, request.currency),
            "minor_units": request.amount,
            "currency": request.currency,
        }
        for request in requests
    ]
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [msgspec.json.encode(wanted).decode()])
        return {
            (order_id, attempt, amount, currency): ClaimedToken(token, sent_at)
            for order_id, attempt, amount, currency, token, sent_at in cursor.fetchall()
        }


def find_contradicting(requests: Sequence[PaymentRequested]) -> set[Wanted]:
    """Of requests that gave no token, those whose token waits: their order asks for another amount."""
    return _with_row(PaymentToken.objects.all(), requests)


def find_ended(requests: Sequence[PaymentRequested]) -> set[Wanted]:
    """Of requests that gave no token, those whose attempt has ended: they came before."""
    return _with_row(Payment.objects.order_by(), requests)


def _with_row(
    attempts: "QuerySet[PaymentToken] | QuerySet[Payment]", requests: Sequence[PaymentRequested]
) -> set[Wanted]:
    """What those of these requests ask for whose attempt has a row here."""
    if not requests:
        return set()
    rows = attempts.filter(order_id__in=[request.order_id for request in requests])
    found = {(str(order_id), attempt) for order_id, attempt in rows.values_list("order_id", "attempt")}
    return {wanted_by(each) for each in requests if (each.order_id, each.attempt) in found}


def find_refunds(requests: Sequence[PaymentRefundRequested]) -> dict[tuple[str, int], Refund]:
    """The refunds of these requests as the orders know them, by order and number."""
    if not requests:
        return {}
    found = Refund.objects.filter(
        order_id__in=[request.order_id for request in requests],
        version__in=[request.refund for request in requests],
    )
    return {(str(refund.order_id), refund.version): refund for refund in found}
