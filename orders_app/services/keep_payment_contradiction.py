"""Keeping answers about payments that contradict their order, each once, for staff to see."""

from functools import partial

import structlog
from django.db import transaction
from django.utils import timezone

from foundation import metrics
from foundation.printable import printable, shortened
from orders_app.document import OrderDocument
from orders_app.models import GatewayEvent
from orders_app.services.kept_answers import content_of, digest_of
from orders_app.services.payment_answers import Contradiction, PaymentAnswer

MAX_ID = 255
MAX_SUMMARY = 1_000

log = structlog.get_logger(__name__)


def keep_payment_contradiction(
    *, answer: PaymentAnswer, order: OrderDocument, contradiction: Contradiction
) -> None:
    """Keep the answer among the events of the gateway; count and log it when that is committed."""
    kept, is_new = GatewayEvent.objects.get_or_create(
        event_id=f"answer-{digest_of(answer)}",
        defaults={
            "type": type(answer).__name__,
            "kind": GatewayEvent.Kind.CONTRADICTION,
            "payment_id": printable(answer.payment_id)[:MAX_ID],
            "reference": printable(answer.origin.message_id)[:MAX_ID],
            "order_id": order.id,
            "order_number": order.order_number,
            "summary": shortened(f"{contradiction} It says {printable(content_of(answer))}", MAX_SUMMARY),
            "created_at": timezone.now(),
        },
    )
    if is_new:
        transaction.on_commit(partial(_tell, kept, contradiction))


def _tell(kept: GatewayEvent, contradiction: Contradiction) -> None:
    metrics.CONTRADICTIONS.labels(contradiction.name.lower()).inc()
    log.warning(
        "an answer about money contradicts its order",
        order_id=str(kept.order_id),
        kind=contradiction.name.lower(),
        message_id=kept.reference,
    )
