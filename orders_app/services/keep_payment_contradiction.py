"""Keeping answers about payments that contradict their order, each once, for staff to see."""

import hashlib
from functools import partial

import msgspec
import structlog
from django.db import transaction
from django.utils import timezone

from foundation import metrics
from foundation.printable import printable, shortened
from orders_app.document import OrderDocument
from orders_app.models import GatewayEvent
from orders_app.services.payment_answers import Contradiction, PaymentAnswer

MAX_ID = 255
MAX_SUMMARY = 1_000

log = structlog.get_logger(__name__)


def keep_payment_contradiction(
    *, answer: PaymentAnswer, order: OrderDocument, contradiction: Contradiction
) -> None:
    """Keep the answer among the events of the gateway; count and log it when that is committed."""
    kept, is_new = GatewayEvent.objects.get_or_create(
        event_id=f"answer-{_digest(answer)}",
        defaults={
            "type": type(answer).__name__,
            "kind": GatewayEvent.Kind.CONTRADICTION,
            "payment_id": printable(answer.payment_id)[:MAX_ID],
            "reference": printable(answer.origin.message_id)[:MAX_ID],
            "order_id": order.id,
            "order_number": order.order_number,
            "summary": _summary(answer, contradiction),
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


def _digest(answer: PaymentAnswer) -> str:
    return hashlib.sha256(msgspec.json.encode((type(answer).__name__, answer))).hexdigest()


def _summary(answer: PaymentAnswer, contradiction: Contradiction) -> str:
    """What is wrong, and what the answer says, as JSON in which control characters are escapes."""
    fields = msgspec.structs.asdict(answer)
    content = {name: value for name, value in fields.items() if name not in {"order_id", "origin"}}
    told = printable(msgspec.json.encode(content).decode())
    return shortened(f"{contradiction} It says {told}", MAX_SUMMARY)
