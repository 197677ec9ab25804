"""Orders of other senders count in the figures, and no other sender changes what is known of ours."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from django.utils import timezone

from kafka_workers.consumers.analytics import decode
from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.messages.message import ReceivedMessage
from orders_app import event_log
from orders_app.analytics import freshness, queries
from orders_app.analytics.copies import copy_in_use
from orders_app.analytics.facts import VersionedMessage
from orders_app.analytics.from_log import log_slices
from orders_app.analytics.other_senders import believed, keep_orders_without_events
from orders_app.analytics.rebuild import rebuild
from orders_app.analytics.selection import read
from orders_app.models import AnalyticsLine, AnalyticsOrder
from orders_app.state_machine import OrderStatus
from tests.concurrency import run_beside
from tests.kafka_workers.consumers.lived_orders import (
    differing_figures,
    figures,
    live,
    messages_about,
    received,
    tell,
)
from tests.kafka_workers.consumers.orders_of_others import LAMP, hear, life, sent
from tests.orders_app.ordering import OrderPlacer, catalogue, placer
from tests.orders_app.paying import payment_gateway

__all__ = ["catalogue", "payment_gateway", "placer"]

pytestmark = pytest.mark.django_db(transaction=True)


def at(day: int, hour: int, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, 0, second, tzinfo=UTC)


def created(order_id: str, **changes: Any) -> ReceivedMessage:
    message = life(order_id)[0]
    return sent(message.topic, json.loads(message.value) | changes)


def forget() -> None:
    AnalyticsOrder.objects.all().delete()
    AnalyticsLine.objects.all().delete()


@pytest.mark.parametrize("source", ["/neighbour/orders", ""])
def test_an_order_of_another_sender_counts_however_its_messages_come(source: str) -> None:
    rng = random.Random(5)
    for order_id in ("N-1", str(uuid4()), "x" * 64, "N-1"):
        messages = life(order_id, source=source) * 3
        rng.shuffle(messages)
        cut = rng.randint(1, len(messages) - 1)
        for batch in (messages[:cut], messages[cut:]):
            hear(*batch)
    orders = list(AnalyticsOrder.objects.all())
    assert len(orders) == 3
    for order in orders:
        assert (order.placed_at, order.reserved_at, order.paid_at) == (
            at(20, 10),
            at(20, 10, 2),
            at(20, 10, 5),
        )
        assert (order.confirmed_at, order.shipped_at) == (at(20, 10, 2), at(20, 11))
        assert (order.delivered_at, order.status) == (at(21, 9), OrderStatus.DELIVERED)
        assert (order.user_id, order.total, order.refunded) == (7, Decimal("15.00"), Decimal("5.00"))
        [line] = AnalyticsLine.objects.filter(order_id=order.order_id)
        assert (line.product_id, line.quantity, line.category) == ("lamp", 2, "Light")


def test_the_fold_of_a_batch_of_others_and_that_of_the_database_give_the_same() -> None:
    early, late = ("2026-11-20T10:00:01Z", "2026-11-20T10:00:03Z")
    status = json.loads(life("N-1")[1].value)
    changes = [sent("order.status.changed", status | {"timestamp": time}) for time in (late, early, late)]
    hear(*changes)
    [together] = figures()
    forget()
    for message in changes:
        hear(message)
    assert figures() == [together]
    assert AnalyticsOrder.objects.get().reserved_at == at(20, 10, 1)


@pytest.mark.usefixtures("payment_gateway")
def test_what_another_sender_says_of_our_orders_changes_nothing(placer: OrderPlacer) -> None:
    orders = live(placer, 3)
    messages = messages_about(orders)
    tell(*messages)
    before = figures()
    for order in orders:
        hear(*life(str(order.id)), *life(str(order.id).upper(), source="/neighbour"), *life("N-1"))
    for changes in (
        {"source": "/neighbour/orders"},
        {"source": "", "id": "order.created/0/7", "sequence": None},
        {"sequence": None},
        {"id": "another"},
    ):
        hear(*(received(message, **changes) for message in messages))
    [other] = AnalyticsOrder.objects.exclude(order_id__in=[order.id for order in orders])
    AnalyticsLine.objects.filter(order_id=other.order_id).delete()
    other.delete()
    assert (figures(), differing_figures()) == (before, [])


def test_an_order_of_ours_that_nobody_has_told_of_yet_is_ours_already(placer: OrderPlacer) -> None:
    hear(*life(str(placer.place().id)))
    assert figures() == []


def test_the_log_is_not_asked_about_messages_of_ours(
    placer: OrderPlacer, django_assert_num_queries: Any
) -> None:
    ours = [decode(received(message)) for message in messages_about([placer.place()])]
    others = [decode(message) for number in range(5) for message in life(str(uuid4()))]
    with django_assert_num_queries(0):
        assert believed(ours) == ours
    with django_assert_num_queries(1):
        assert believed(ours + others) == ours + others


@pytest.mark.usefixtures("payment_gateway")
def test_a_rebuild_from_the_log_keeps_the_orders_of_others_and_equals_one_from_messages(
    placer: OrderPlacer,
) -> None:
    orders = messages_about(live(placer, 5))
    others = [*life("N-1"), *life(str(uuid4()), source="/neighbour")]
    tell(*orders)
    hear(*others)
    before, in_use = figures(), copy_in_use()
    assert rebuild(log_slices(), keep_orders_without_events).orders == 7
    assert (figures(), copy_in_use()) != (before, in_use)
    assert figures() == before
    messages = [decode(message) for message in (*map(received, orders), *others)]
    rebuild([believed(messages)])
    assert figures() == before


def test_what_others_send_during_a_rebuild_joins_what_they_sent_before() -> None:
    messages = life("N-1")
    hear(*messages)
    whole = figures()
    forget()
    hear(*messages[::2])

    def slices() -> Iterator[Sequence[VersionedMessage]]:
        run_beside(lambda: hear(*messages[1::2]))
        yield []

    rebuild(slices(), keep_orders_without_events)
    assert figures() == whole


def test_many_orders_of_others_are_kept_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders_app.analytics.other_senders.SLICE_ORDERS", 2)
    hear(*(created(f"N-{number}") for number in range(5)))
    before = figures()
    rebuild(log_slices(), keep_orders_without_events)
    assert figures() == before
    assert len(before) == 10


def test_customers_are_the_known_users() -> None:
    users = ("7", "7", "8", "ada@example.com", "ada@example.com", "9" * 30)
    hear(*(created(f"N-{number}", userId=user) for number, user in enumerate(users)))
    known = AnalyticsOrder.objects.values_list("user_id", flat=True)
    assert sorted(known, key=str) == [7, 7, 8, None, None, None]
    period = {"start": at(1, 0), "end": at(30, 0), "currency": None}
    assert read(queries.CUSTOMERS, period) == [(2, 1)]


def test_how_old_the_figures_are_is_not_moved_by_others() -> None:
    event_log.store_position(event_log.RELAY_READER, event_log.last_position())
    hear(msgspec.structs.replace(created("N-1"), time=timezone.now()))
    assert AnalyticsOrder.objects.count() == 1
    assert freshness() is None


def test_values_of_others_that_have_no_place_are_left_out_or_refused() -> None:
    hear(created("N-1", paymentMethod=70_000, createdAt="2026-11-20T10:00:00"))
    [status] = [each for each in life("N-1") if '"newStatus": 2' in each.value.decode()]
    hear(sent(status.topic, json.loads(status.value) | {"newStatus": 70_000}))
    about = json.loads(created("N-1").value)
    cancelled = about | {"reason": "x", "cancelledAt": "2026-11-20T12:00:00Z", "code": "C" * 50}
    hear(sent("order.cancelled", cancelled))
    [known] = AnalyticsOrder.objects.all()
    groups = read(queries.GROUPS, {"start": at(1, 0), "end": at(30, 0), "currency": None})
    assert [group[2] for group in groups if group[:2] == (None, None)] == [1]
    assert (known.payment_method, known.placed_at, known.status) == (None, at(20, 10), OrderStatus.CANCELLED)
    assert known.cancel_code == "C" * 40
    assert known.total == Decimal("15.00")
    with pytest.raises(InvalidMessage, match="the character NUL"):
        decode(created("N-1", items=[LAMP | {"productName": "a\0b"}]))
    for sequence in (-1, 2**31):
        with pytest.raises(InvalidMessage, match=f"no version of an order: ce_sequence is {sequence}"):
            decode(sent("order.created", about, sequence, "/neighbour"))


def test_the_row_of_another_senders_order_has_an_id_that_ours_never_have(placer: OrderPlacer) -> None:
    hear(created("N-1"), created(str(uuid4())), created(str(UUID(int=0))))
    versions = {order_id.version for order_id in AnalyticsOrder.objects.values_list("order_id", flat=True)}
    assert (versions, placer.place().id.version) == ({5}, 7)


def test_another_sender_cannot_refund_more_than_was_paid() -> None:
    refund = json.loads(life("N-1")[-1].value)
    free = created("N-1", totalAmount="0.00")
    hear(free, *life("N-1")[1:4], sent("order.updated", refund))
    period = {"start": at(1, 0), "end": at(30, 0), "currency": "USD"}
    assert [revenue for _, _, revenue in read(queries.BY_CURRENCY, period)] == [0]
    [product] = read(queries.SORTED_PRODUCTS.format(column="pieces"), period | {"decimals": 2})
    assert (product[0], product[5]) == ("lamp", 0)
