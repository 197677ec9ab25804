"""The database lets an event change only by a recorded redaction, and only what that replaces."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from orders_app import event_log
from orders_app.document import OrderDocument
from orders_app.event_log.redaction import order_ids_of, redact_events
from orders_app.models import Redaction
from tests.orders_app.ordering import OrderPlacer

pytestmark = pytest.mark.django_db(transaction=True)

REDACTED = "redacted_event_data(actor, data) || jsonb_build_object('redaction', {redaction})"


@pytest.fixture
def order(placer: OrderPlacer) -> OrderDocument:
    return placer.place()


@pytest.fixture
def redaction(order: OrderDocument) -> Redaction:
    """One of the order's user that is under way."""
    return Redaction.objects.create(user_id=int(order.user_id), requested_by="sam")


def update(changes: str, redaction: Redaction) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE order_event SET {changes.format(redaction=redaction.pk)}")


def test_a_recorded_redaction_passes(order: OrderDocument, redaction: Redaction) -> None:
    before = event_log.history(order.id)
    update(f"data = {REDACTED}", redaction)
    [after] = event_log.history(order.id)
    assert after.position == before[0].position
    assert b'"street": "erased"' in after.data


OTHER_CHANGES = (
    "data = data",
    "data = redacted_event_data(actor, data)",
    "data = data || '{{\"redaction\": {redaction}}}'",
    f"data = jsonb_set({REDACTED}, '{{{{changes,totalAmount}}}}', '\"1.00\"')",
    f"data = {REDACTED}, actor = 'staff:1'",
    f"data = {REDACTED}, version = 2",
    f"data = {REDACTED}, tx = '1'",
    "data = redacted_event_data(actor, data) || jsonb_build_object('redaction', {redaction} + 1)",
    'data = redacted_event_data(actor, data) || \'{{"redaction": "{redaction}"}}\'',
)


def test_any_other_change_is_refused(order: OrderDocument, redaction: Redaction) -> None:
    before = event_log.history(order.id)
    for changes in OTHER_CHANGES:
        with pytest.raises(DatabaseError, match="append-only"):
            update(changes, redaction)
    assert event_log.history(order.id) == before


def test_a_redaction_that_has_ended_or_is_another_user_s_changes_nothing(
    order: OrderDocument, redaction: Redaction
) -> None:
    others = Redaction.objects.create(user_id=User.objects.create_user("otto").pk, requested_by="sam")
    with pytest.raises(DatabaseError, match="append-only"):
        update(f"data = {REDACTED}", others)
    redaction.ended_at = timezone.now()
    redaction.save()
    with pytest.raises(DatabaseError, match="append-only"):
        update(f"data = {REDACTED}", redaction)


def test_events_of_an_archived_month_are_found_and_redacted(
    order: OrderDocument, redaction: Redaction
) -> None:
    [(partition, bound)] = _rows(
        "SELECT name, upper_bound FROM order_event_partition WHERE upper_bound IS NOT NULL"
    )
    bounds = f"FOR VALUES FROM (MINVALUE) TO ('{bound}')"
    try:
        _execute(
            f"ALTER TABLE order_event DETACH PARTITION {partition}",
            f"ALTER TABLE order_event_archive ATTACH PARTITION {partition} {bounds}",
            f"INSERT INTO order_event_archived VALUES ('{partition}', '1', 1, now())",
        )
        assert order_ids_of(redaction.user_id) == {order.id}
        with transaction.atomic():
            event_log.lock_orders([order.id])
            assert redact_events(redaction.pk, redaction.user_id, [order.id]) == {partition: 1}
        assert b'"street": "erased"' in event_log.history(order.id)[0].data
    finally:
        _execute(
            f"ALTER TABLE order_event_archive DETACH PARTITION {partition}",
            f"ALTER TABLE order_event ATTACH PARTITION {partition} {bounds}",
        )


def _rows(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
