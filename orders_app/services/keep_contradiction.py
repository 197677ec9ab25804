"""Keeping answers of the stock service that contradict their order, each once, for people to see."""

from functools import partial

import msgspec
import structlog
from django.db import transaction

from foundation import metrics
from foundation.printable import printable
from orders_app.document import OrderDocument
from orders_app.models import StockContradiction
from orders_app.services.kept_answers import content_of, digest_of
from orders_app.services.stock_answers import Kind, StockAnswer

Outcome = StockContradiction.Outcome
MAX_TOLD = 4_000
MAX_ID = 255

log = structlog.get_logger(__name__)


def is_kept(answer: StockAnswer) -> bool:
    """Whether this answer, from the same message, is kept already."""
    kept = StockContradiction.objects.filter(order_id=answer.order_id, digest=digest_of(answer))
    return kept.exists()


def keep_contradiction(*, answer: StockAnswer, order: OrderDocument, kind: Kind, outcome: Outcome) -> None:
    """Keep the answer with what `order`, as it was before, says; count and log it when that is committed."""
    kept = StockContradiction.objects.create(
        order_id=order.id,
        order_number=order.order_number,
        kind=kind,
        outcome=outcome,
        message_id=printable(answer.origin.message_id)[:MAX_ID],
        told=f"{type(answer).__name__} {content_of(answer)}"[:MAX_TOLD],
        order_says=_order_says(order),
        digest=digest_of(answer),
    )
    transaction.on_commit(partial(_tell, kept))


def _tell(kept: StockContradiction) -> None:
    metrics.CONTRADICTIONS.labels(kept.kind).inc()
    log.warning(
        "an answer about stock contradicts its order",
        order_id=str(kept.order_id),
        kind=kept.kind,
        outcome=kept.outcome,
        message_id=kept.message_id,
    )


def _order_says(order: OrderDocument) -> str:
    lines = {line.product_id: line.quantity for line in order.items}
    return f"{order.status_label}, stock {order.stock_status}, {msgspec.json.encode(lines).decode()}"
