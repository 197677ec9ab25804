"""Events whose messages cannot be sent, and later ones of their orders: kept until a retry is asked for."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from kafka_workers.models import SetAsideEvent
from orders_app import event_log
from orders_app.event_log import LoggedEvent

ORDERS_A_RETRY = 100
Reason = SetAsideEvent.Reason
Faults = Mapping[int, tuple[SetAsideEvent.Reason, str]]
"""By the id of the event: why, and in which words."""


def spread_faults(events: Sequence[LoggedEvent], faults: Faults, held: Collection[UUID]) -> Faults:
    """The faults of a batch, and that an event comes after a faulty one or is of a held order.

    A later event whose messages are out already waits too: the retry sends them again, in order.
    """
    if not faults and not held:
        return faults
    spread = dict(faults)
    blocked = set(held)
    for event in events:
        if event.id in faults:
            blocked.add(event.order_id)
        elif event.order_id in blocked:
            spread[event.id] = Reason.BEHIND, "an earlier event of the order is set aside"
    return spread


def set_aside_rows(events: Iterable[LoggedEvent], faults: Faults) -> list[SetAsideEvent]:
    """The faulty ones among these events as rows to keep."""
    return [
        SetAsideEvent(
            order_id=event.order_id,
            version=event.version,
            type=event.type,
            reason=faults[event.id][0],
            detail=faults[event.id][1],
        )
        for event in events
        if event.id in faults
    ]


def held_orders() -> set[UUID]:
    """The orders of which an event is set aside: later events of theirs must wait too."""
    return set(SetAsideEvent.objects.values_list("order_id", flat=True))


def keep(rows: Iterable[SetAsideEvent]) -> None:
    """Set these events aside; those that are aside already stay as they are."""
    SetAsideEvent.objects.bulk_create(rows, ignore_conflicts=True)


def request_retry(order_ids: Collection[UUID]) -> int:
    """Ask the relay to send what is set aside of these orders; how many events that is."""
    rows = SetAsideEvent.objects.filter(order_id__in=order_ids)
    return rows.update(retry_requested_at=timezone.now())


def events_to_retry() -> list[LoggedEvent]:
    """What is set aside of orders for which a retry was asked, by order and version: of some orders."""
    asked = SetAsideEvent.objects.filter(retry_requested_at__isnull=False).order_by("order_id")
    orders = list(asked.values_list("order_id", flat=True).distinct()[:ORDERS_A_RETRY])
    if not orders:
        return []
    aside = set(SetAsideEvent.objects.filter(order_id__in=orders).values_list("order_id", "version"))
    return [event for event in event_log.histories(orders) if (event.order_id, event.version) in aside]


def finish_retry(order_ids: Collection[UUID], still_aside: Sequence[SetAsideEvent]) -> None:
    """After a retry of these orders only these events of theirs are set aside, with their new reasons."""
    with transaction.atomic():
        SetAsideEvent.objects.filter(order_id__in=order_ids).delete()
        keep(still_aside)
