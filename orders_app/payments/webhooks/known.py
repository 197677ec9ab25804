"""What is known already of what the gateway tells: most events tell nothing new and need nothing more."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db import connection

from orders_app.models import Payment
from orders_app.payments.webhooks.notice import GatewayNotice, Subject

# A payment that came too late or twice is none of the order: it is asked back.
_LOOK = """
SELECT
    EXISTS (SELECT FROM gateway_event WHERE event_id = %(event)s),
    EXISTS (SELECT FROM order_payment WHERE payment_id = %(payment)s AND state = ANY (%(states)s))
    OR EXISTS (SELECT FROM order_refund WHERE payment_id = %(payment)s AND %(states)s <> '{}')
"""
_ENDS: Mapping[Subject, Sequence[Payment.State]] = {
    Subject.PAYMENT_TAKEN: [Payment.State.SUCCEEDED],
    Subject.PAYMENT_ENDED: [Payment.State.SUCCEEDED, Payment.State.FAILED],
}
"""The states of an attempt in which such an event about its payment tells nothing new."""


class Known(NamedTuple):
    """Whether the event was acted on before, and whether an order knows how its payment ended."""

    event: bool
    end: bool


def what_is_known(notice: GatewayNotice) -> Known:
    """Ask the database by one statement, without a lock."""
    return _look(notice.event_id, notice.payment_id, notice.subject)


def is_end_known(payment_id: str, subject: Subject) -> bool:
    """Whether an order knows how this payment ended, so that such an event about it tells nothing new."""
    return _look("", payment_id, subject).end


def _look(event_id: str, payment_id: str, subject: Subject) -> Known:
    states = [state.value for state in _ENDS.get(subject, [])]
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, {"event": event_id, "payment": payment_id, "states": states})
        return Known(*cursor.fetchone())
