"""Parked events wait, with all later events of their orders, until a retry is requested."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from foundation.slices import slices
from kafka_workers.models import ParkedEvent
from orders_app import event_log
from orders_app.event_log import LoggedEvent

ORDERS_PER_RETRY = 100
Reason = ParkedEvent.Reason
ParkReasons = Mapping[int, tuple[ParkedEvent.Reason, str]]
"""By the id of the event: the reason and its details."""


def include_followers(
    events: Sequence[LoggedEvent], reasons: ParkReasons, blocked: Collection[UUID]
) -> ParkReasons:
    """These reasons, and one for each event that follows a parked event of its order.

    `blocked` are the orders with a parked event from before. A follower is parked even when its messages are
    delivered already: the retry sends them again, in order.
    """
    if not reasons and not blocked:
        return reasons
    extended = dict(reasons)
    blocked = set(blocked)
    for event in events:
        if event.id in reasons:
            blocked.add(event.order_id)
        elif event.order_id in blocked:
            extended[event.id] = Reason.BEHIND, "an earlier event of the order is parked"
    return extended


def parked_rows(events: Iterable[LoggedEvent], reasons: ParkReasons) -> list[ParkedEvent]:
    """The rows for those of these events that have a reason to be parked."""
    return [
        ParkedEvent(
            order_id=event.order_id,
            version=event.version,
            type=event.type,
            reason=reasons[event.id][0],
            detail=reasons[event.id][1],
        )
        for event in events
        if event.id in reasons
    ]


def blocked_orders() -> set[UUID]:
    """The orders with a parked event: their later events must be parked too."""
    return set(ParkedEvent.objects.values_list("order_id", flat=True))


def park(rows: Iterable[ParkedEvent]) -> None:
    """Park these events; an event that is parked already keeps its reason."""
    ParkedEvent.objects.bulk_create(rows, ignore_conflicts=True)


def request_retry(order_ids: Collection[UUID]) -> int:
    """Request that the relay sends the parked events of these orders again; how many events these are."""
    rows = ParkedEvent.objects.filter(order_id__in=order_ids)
    return rows.update(retry_requested_at=timezone.now())


def unreadable_events() -> list[LoggedEvent]:
    """The events that are parked because the relay that met them could not read them."""
    found = ParkedEvent.objects.filter(reason=Reason.UNROUTABLE, retry_requested_at=None)
    parked = set(found.values_list("order_id", "version"))
    orders = slices(sorted({order_id for order_id, _ in parked}), ORDERS_PER_RETRY)
    events = (event for some in orders for event in event_log.histories(some))
    return [event for event in events if (event.order_id, event.version) in parked]


def events_to_retry() -> list[LoggedEvent]:
    """The parked events for which a retry is requested, by order and version; of some orders at a time."""
    requested = ParkedEvent.objects.filter(retry_requested_at__isnull=False).order_by("order_id")
    orders = list(requested.values_list("order_id", flat=True).distinct()[:ORDERS_PER_RETRY])
    if not orders:
        return []
    parked = set(ParkedEvent.objects.filter(order_id__in=orders).values_list("order_id", "version"))
    return [event for event in event_log.histories(orders) if (event.order_id, event.version) in parked]


def finish_retry(order_ids: Collection[UUID], still_parked: Sequence[ParkedEvent]) -> None:
    """Replace the parked events of these orders by those that the retry could not send."""
    with transaction.atomic():
        ParkedEvent.objects.filter(order_id__in=order_ids).delete()
        park(still_parked)
