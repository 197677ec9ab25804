"""Receives webhooks: what is signed by the gateway is acted on, each event once.

Which payment it is about is told by the event, how that payment is by the gateway when it is asked: events
come twice, late and in any order. What staff must see is kept.
"""

import time
from contextlib import suppress
from enum import StrEnum
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction

from foundation.metrics import GATEWAY_EVENTS
from orders_app.event_log import Origin
from orders_app.models import GatewayEvent, Order
from orders_app.payments.webhooks.known import what_is_known
from orders_app.payments.webhooks.notice import GatewayNotice, read_notice
from orders_app.payments.webhooks.reactions import payments_of, react
from orders_app.payments.webhooks.signature import require_signature
from orders_app.payments.webhooks.telling import tell_staff


class Outcome(StrEnum):
    """What was done about a webhook."""

    LOOKED_UP = "looked_up"
    KEPT = "kept"
    KNOWN = "known"
    REPEATED = "repeated"
    IGNORED = "ignored"
    REFUSED = "refused"


class _Repeated(Exception):
    """The event was acted on before."""


def receive_webhook(*, body: bytes, signature: str, origin: Origin) -> Outcome:
    """Act on a webhook, and remember its event in the same transaction.

    Raises WebhookRefused, with nothing changed, and the errors of the database.
    """
    outcome = Outcome.REFUSED
    try:
        require_signature(body, signature, _secrets(), time.time())
        outcome = _receive(read_notice(body), origin)
    finally:
        GATEWAY_EVENTS.labels(outcome).inc()
    return outcome


def _secrets() -> list[str]:
    """The secrets with which the gateway may sign; while one is replaced by another, both."""
    secrets = (settings.STRIPE_WEBHOOK_SECRET, *settings.STRIPE_WEBHOOK_SECRET_FALLBACKS)
    return [secret for secret in secrets if secret]


def _receive(notice: GatewayNotice | None, origin: Origin) -> Outcome:
    if notice is None:
        return Outcome.IGNORED
    known = what_is_known(notice)
    if known.event or known.end:
        return Outcome.REPEATED if known.event else Outcome.KNOWN
    # An event may come twice at once: the later of both changes nothing.
    with suppress(_Repeated), transaction.atomic():
        return _act_on(notice, origin)
    return Outcome.REPEATED


def _act_on(notice: GatewayNotice, origin: Origin) -> Outcome:
    kind = react(notice, origin)
    if kind is None:
        return Outcome.KNOWN
    event, is_new = GatewayEvent.objects.get_or_create(event_id=notice.event_id, defaults=_row(notice, kind))
    if not is_new:
        raise _Repeated
    if kind == GatewayEvent.Kind.PAYMENT:
        return Outcome.LOOKED_UP
    transaction.on_commit(partial(tell_staff, event))
    return Outcome.KEPT


def _row(notice: GatewayNotice, kind: GatewayEvent.Kind) -> dict[str, object]:
    order_id = _order_of(notice)
    orders = Order.objects.filter(pk__in=[order_id] if order_id else [])
    return {
        "type": notice.type,
        "kind": kind,
        "payment_id": notice.payment_id,
        "reference": notice.reference,
        "order_id": order_id,
        "order_number": orders.values_list("order_number", flat=True).first() or "",
        "amount": notice.amount,
        "currency": notice.currency,
        "summary": notice.summary,
        "created_at": notice.created_at,
    }


def _order_of(notice: GatewayNotice) -> UUID | None:
    """The order that knows the payment, else the one that the metadata names."""
    return payments_of(notice).values_list("order_id", flat=True).first() or notice.order_id
