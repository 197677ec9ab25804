"""Marking events of the payment gateway as dealt with."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from orders_app.models import GatewayEvent


@transaction.atomic
def resolve_gateway_events(*, events: QuerySet[GatewayEvent], by: str) -> list[GatewayEvent]:
    """Mark those of these events that are open as resolved by this user; returns them."""
    ids = events.order_by("pk").values_list("pk", flat=True)
    resolved = list(GatewayEvent.objects.select_for_update().filter(pk__in=list(ids), resolved_at=None))
    for event in resolved:
        event.resolved_at, event.resolved_by = timezone.now(), by
    GatewayEvent.objects.bulk_update(resolved, ["resolved_at", "resolved_by"])
    return resolved
