"""Telling staff, in the log, of an event of the gateway that is kept for them."""

import structlog

from orders_app.models import GatewayEvent

log = structlog.get_logger(__name__)


def tell_staff(event: GatewayEvent) -> None:
    """Log what was kept; to be called once that is committed."""
    log.warning(
        "the payment gateway told what staff must see",
        event_id=event.event_id,
        kind=event.kind,
        payment_id=event.payment_id,
        order_id=event.order_id and str(event.order_id),
    )
