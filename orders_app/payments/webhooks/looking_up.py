"""Looks up the payments that webhooks have told of, beside the payment consumer. Any number may run at once.

A webhook only leaves a row. What its payment is, and of which attempt, the gateway says when it is asked: so
a webhook that tells what is not so changes no order, and staff see it.
"""

import threading
import time
from functools import partial

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from foundation.advisory_lock import Lock, release_lock, take_lock
from foundation.outage import DependencyUnavailable, take_turns
from orders_app.event_log import Origin
from orders_app.models import GatewayEvent
from orders_app.payments.gateway import AnswerMissing, GatewayPayment, PaymentState, gateway
from orders_app.payments.webhooks.known import is_end_known
from orders_app.payments.webhooks.notice import PAYMENT_TAKEN, Subject
from orders_app.payments.webhooks.telling import tell_staff
from orders_app.services.order_ids import parse_order_id
from orders_app.services.pay_order import request_payment_look_up

POLL_SECONDS = 0.25
SILENT_SECONDS = 30.0
"""How long a payment is left alone about which the gateway is silent, though it answers about others."""
MOST_AT_ONCE = 50
ACTOR = "service:gateway"
NO_SUCH_PAYMENT = "The gateway has no payment with this id."
ANOTHER_ORDER = "At the gateway this payment is for another order."
NOBODY_KNOWS = "No order has asked for it."

Kind = GatewayEvent.Kind
log = structlog.get_logger(__name__)


def look_up_payments(stop: threading.Event) -> None:
    """Look up payments as they are told of, until `stop` is set. Waits while a server is unavailable."""
    take_turns(stop, partial(look_up_waiting, Silent()))
    connection.close()


class Silent:
    """The events about whose payments the gateway was silent lately."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def add(self, event_id: str) -> None:
        self._until[event_id] = time.monotonic() + SILENT_SECONDS

    @property
    def ids(self) -> list[str]:
        """Those that are not to be asked for yet."""
        now = time.monotonic()
        self._until = {event_id: until for event_id, until in self._until.items() if until > now}
        return list(self._until)


def look_up_waiting(silent: Silent) -> float:
    """Look up the payments that wait; the seconds until more may. Raises DependencyUnavailable.

    One process at a time does so, lest each asks for the same.
    """
    close_old_connections()
    try:
        waiting = list(_waiting().exclude(pk__in=silent.ids)[:MOST_AT_ONCE])
        if not waiting or not take_lock(Lock.PAYMENT_LOOK_UP):
            return POLL_SECONDS
        try:
            _look_up_each(waiting, silent)
        finally:
            release_lock(Lock.PAYMENT_LOOK_UP)
    except (OperationalError, InterfaceError) as error:
        raise DependencyUnavailable("PostgreSQL", str(error)) from error
    return 0.0


def _waiting() -> QuerySet[GatewayEvent]:
    waiting = GatewayEvent.objects.filter(kind=Kind.PAYMENT, resolved_at=None)
    return waiting.order_by("received_at", "event_id")


def _look_up_each(waiting: list[GatewayEvent], silent: Silent) -> None:
    """Look up each; one about which the gateway is silent waits, and holds up no other."""
    for event in waiting:
        try:
            _look_up(event)
        except AnswerMissing as error:
            # Where it answers nobody, this raises GatewayUnavailable.
            gateway().ping()
            silent.add(event.event_id)
            log.warning("a payment cannot be looked up now", payment_id=event.payment_id, reason=str(error))


def _look_up(event: GatewayEvent) -> None:
    """Raises AnswerMissing and GatewayUnavailable."""
    is_taken = event.type == PAYMENT_TAKEN
    if is_end_known(event.payment_id, Subject.PAYMENT_TAKEN if is_taken else Subject.PAYMENT_ENDED):
        _resolve(event)
        return
    payment = gateway().payment(event.payment_id)
    if payment is None:
        _keep(event, Kind.UNKNOWN_PAYMENT, NO_SUCH_PAYMENT)
    elif parse_order_id(payment.order_id) != event.order_id:
        _keep(event, Kind.CONTRADICTION, ANOTHER_ORDER)
    elif payment.state == PaymentState.PROCESSING:
        _resolve(event)
    elif _ask_order(event, payment):
        return
    elif payment.state == PaymentState.SUCCEEDED and not is_end_known(payment.id, Subject.PAYMENT_TAKEN):
        _keep(event, Kind.UNKNOWN_PAYMENT, NOBODY_KNOWS)
    else:
        _resolve(event)


def _ask_order(event: GatewayEvent, payment: GatewayPayment) -> bool:
    """Have the order ask for the payment and resolve the event; False where it awaits no such payment."""
    if event.order_id is None or not payment.attempt.isdecimal():
        return False
    with transaction.atomic():
        is_asked = request_payment_look_up(
            order_id=event.order_id,
            attempt=int(payment.attempt),
            payment_id=payment.id,
            succeeded=payment.state == PaymentState.SUCCEEDED,
            origin=Origin(ACTOR),
        )
        if is_asked:
            _resolve(event)
    return is_asked


def _resolve(event: GatewayEvent) -> None:
    """Nothing is left to do."""
    GatewayEvent.objects.filter(pk=event.pk).update(resolved_at=timezone.now())


def _keep(event: GatewayEvent, kind: GatewayEvent.Kind, summary: str) -> None:
    """Show the event to staff."""
    GatewayEvent.objects.filter(pk=event.pk).update(kind=kind, summary=summary)
    event.kind = kind
    tell_staff(event)
