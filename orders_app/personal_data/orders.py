"""The orders of a person: what is held of each, and their redaction."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Case, F, Func, Model, QuerySet, TextField, Value, When
from django.db.models.functions import Concat

from foundation.slices import slices
from orders_app import event_log
from orders_app.document import CancelCode
from orders_app.event_log import LoggedEvent
from orders_app.event_log.redaction import count_redactable, order_ids_of, redact_events
from orders_app.models import (
    AnalyticsLine,
    AnalyticsOrder,
    GatewayEvent,
    Order,
    Payment,
    PaymentToken,
    Redaction,
    Refund,
    StockContradiction,
)
from orders_app.models.rows import read_documents
from orders_app.personal_data.holdings import ERASED, row_values

SLICE_ORDERS = 100
ERASED_ADDRESS = {"street": ERASED, "city": ERASED, "state": "", "zip_code": "", "country": ERASED}
"""What stands in place of an address, as `redacted_event_data` writes it into events."""
PEOPLES_REASONS = (CancelCode.CUSTOMER_REQUEST, CancelCode.STAFF_REQUEST)
"""The codes of cancellations whose reason may be in somebody's own words."""
BESIDE_ORDERS: tuple[tuple[str, type[Model], frozenset[str]], ...] = (
    ("payments", Payment, frozenset()),
    ("refunds", Refund, frozenset()),
    ("paymentTokens", PaymentToken, frozenset({"token"})),
    ("stockContradictions", StockContradiction, frozenset()),
    ("gatewayEvents", GatewayEvent, frozenset()),
    ("analyticsOrder", AnalyticsOrder, frozenset()),
    ("analyticsLines", AnalyticsLine, frozenset()),
)


def slices_of_orders(user_id: int) -> Iterator[list[UUID]]:
    """The ids of all orders of a user, deleted and archived ones too, SLICE_ORDERS at a time."""
    found = set(Order.objects.filter(user_id=user_id).values_list("pk", flat=True)) | order_ids_of(user_id)
    return slices(sorted(found), SLICE_ORDERS)


def held_of_orders(order_ids: Sequence[UUID]) -> Iterator[dict[str, Any]]:
    """What is held of each of these orders: as the API shows it, its events, payments and the like."""
    documents, events = read_documents(order_ids), _events(order_ids)
    keys = dict(Order.objects.filter(pk__in=order_ids).values_list("pk", "idempotency_key"))
    beside = {name: _rows(model, order_ids, withheld) for name, model, withheld in BESIDE_ORDERS}
    for order_id in order_ids:
        yield {
            "orderId": order_id,
            "order": documents.get(order_id),
            "idempotencyKey": keys.get(order_id, ""),
            "events": events.get(order_id, []),
            **{name: rows.get(order_id, []) for name, rows in beside.items()},
        }


def _events(order_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    grouped = groupby(event_log.histories(order_ids), attrgetter("order_id"))
    return {order_id: list(map(_event, events)) for order_id, events in grouped}


def _event(event: LoggedEvent) -> dict[str, Any]:
    return {
        "eventId": event.event_id,
        "version": event.version,
        "type": event.type,
        "time": event.created_at,
        "actor": event.actor,
        "traceParent": event.trace_parent,
        "data": msgspec.Raw(event.data),
    }


def _rows(
    model: type[Model], order_ids: Sequence[UUID], withheld: frozenset[str]
) -> dict[UUID, list[dict[str, Any]]]:
    rows = model._default_manager.filter(order_id__in=order_ids).order_by("order_id", "pk")  # noqa: SLF001
    grouped = groupby(row_values(rows, withheld), lambda values: values["orderId"])
    return {order_id: list(values) for order_id, values in grouped}


def redact_orders(redaction: Redaction, order_ids: Sequence[UUID]) -> None:
    """Erase the personal data of these orders and their events in one transaction, which records it too."""
    with transaction.atomic():
        event_log.lock_orders(order_ids)
        redacted = redact_events(redaction.pk, redaction.user_id, order_ids)
        redacted["orders_order"] = _redact_rows(_personal_orders(order_ids))
        redacted["order_refund"] = _personal_refunds(order_ids).update(reason=ERASED, idempotency_key="")
        redacted["django_admin_log"] = _redact_entries(order_ids)
        add_to_record(redaction, redacted)


def count_redactable_orders(user_id: int, order_ids: Sequence[UUID]) -> Counter[str]:
    """How many rows `redact_orders` would change."""
    return Counter(
        order_event=count_redactable(user_id, order_ids),
        orders_order=_personal_orders(order_ids).count(),
        order_refund=_personal_refunds(order_ids).count(),
        django_admin_log=_personal_entries(order_ids).count(),
    )


def add_to_record(redaction: Redaction, redacted: Counter[str]) -> None:
    """Add to the record how many rows of which table were changed, in the transaction that changed them."""
    record = Redaction.objects.select_for_update().get(pk=redaction.pk)
    record.replaced = dict(Counter(record.replaced) + redacted)
    record.save(update_fields=["replaced"])


def _personal_orders(order_ids: Sequence[UUID]) -> QuerySet[Order]:
    erased = {
        **ERASED_ADDRESS,
        "tracking_number__in": ("", ERASED),
        "idempotency_key": "",
        "request_hash": "",
    }
    return Order.objects.filter(pk__in=order_ids).exclude(**erased)


def _redact_rows(orders: QuerySet[Order]) -> int:
    return orders.update(
        **ERASED_ADDRESS,
        tracking_number=Case(When(tracking_number="", then=Value("")), default=Value(ERASED)),
        cancel_reason_detail=Case(
            When(cancel_reason_code__in=PEOPLES_REASONS, then=Value(ERASED)),
            default=F("cancel_reason_detail"),
            output_field=TextField(),
        ),
        idempotency_key="",
        request_hash="",
    )


def _personal_refunds(order_ids: Sequence[UUID]) -> QuerySet[Refund]:
    by_people = Refund.objects.filter(order_id__in=order_ids).exclude(actor__startswith="service:")
    return by_people.exclude(reason=ERASED, idempotency_key="")


def _personal_entries(order_ids: Sequence[UUID]) -> QuerySet[LogEntry]:
    """Entries of the admin's log that end with somebody's own words."""
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Order), object_id__in=list(map(str, order_ids))
    )
    return entries.filter(change_message__startswith="Refund of ").exclude(
        change_message__endswith=f": {ERASED}"
    )


def _redact_entries(order_ids: Sequence[UUID]) -> int:
    what = Func(F("change_message"), Value(": "), Value(1), function="split_part", output_field=TextField())
    return _personal_entries(order_ids).update(
        change_message=Concat(what, Value(f": {ERASED}"), output_field=TextField())
    )
