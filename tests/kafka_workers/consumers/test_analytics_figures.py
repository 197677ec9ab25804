"""The figures of analytics are those of the orders, however the messages come."""

import random
from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec
import pytest
from django.db import connection, transaction

from foundation.outage import DependencyUnavailable
from kafka_workers.consumers.analytics import decode
from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.messages.message import OutgoingMessage
from orders_app.analytics.copies import Copy, RebuildUnderWay, copy_in_use, rebuilding
from orders_app.analytics.facts import VersionedMessage, fold
from orders_app.analytics.from_log import log_slices
from orders_app.analytics.rebuild import rebuild
from orders_app.models import AnalyticsLine, AnalyticsOrder
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER, cancel_order
from orders_app.state_machine import OrderStatus, PaymentMethod
from tests.concurrency import result_of, run_beside, start_beside
from tests.kafka_workers.consumers.lived_orders import (
    differing_figures,
    figures,
    live,
    messages_about,
    received,
    tell,
    versioned,
)
from tests.orders_app.ordering import STAFF, OrderPlacer, answer, catalogue, placer, rejected, reserved
from tests.orders_app.paying import payment_gateway

__all__ = ["catalogue", "payment_gateway", "placer"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_gateway")]


def in_random_batches(
    messages: Sequence[OutgoingMessage], rng: random.Random
) -> Iterator[Sequence[OutgoingMessage]]:
    rest = list(messages)
    while rest:
        size = rng.randint(1, 20)
        yield rest[:size]
        rest = rest[size:]


def test_figures_equal_the_orders_whatever_the_order_of_messages_and_however_often_they_come(
    placer: OrderPlacer,
) -> None:
    messages, rng = messages_about(live(placer, 30)), random.Random(3)
    thrice = messages * 3
    rng.shuffle(thrice)
    for batch in in_random_batches(thrice, rng):
        tell(*batch)
    assert differing_figures() == []
    # The orders have lived through all that figures tell.
    known = AnalyticsOrder.objects.all()
    for field in ("reserved_at", "confirmed_at", "paid_at", "shipped_at", "delivered_at", "cancelled_at"):
        assert 0 < known.filter(**{f"{field}__isnull": False}).count() < 30, field
    assert known.filter(refunded__gt=0, status=OrderStatus.PROCESSING).exists()
    assert known.filter(reserved_at__isnull=False, confirmed_at=None, status=OrderStatus.PENDING).exists()


def test_the_log_tells_the_same_as_the_topics(placer: OrderPlacer) -> None:
    tell(*messages_about(live(placer, 20)))
    by_topics, in_use = figures(), copy_in_use()
    assert len(by_topics) == 60
    rebuilt = rebuild(log_slices())
    assert (figures(), rebuilt.orders) == (by_topics, 20)
    assert copy_in_use() != in_use
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM analytics_order")
        cursor.execute("DELETE FROM analytics_line")
    rebuild(log_slices())
    assert (figures(), copy_in_use()) == (by_topics, in_use)


def test_the_fold_of_a_batch_and_that_of_the_database_give_the_same(placer: OrderPlacer) -> None:
    messages = messages_about(live(placer, 12))
    for message in messages:
        tell(message)
    one_by_one = figures()
    AnalyticsOrder.objects.all().delete()
    AnalyticsLine.objects.all().delete()
    tell(*messages)
    assert figures() == one_by_one


def test_an_order_counts_from_the_moment_at_which_its_placing_is_known(placer: OrderPlacer) -> None:
    order = placer.place_reserved()
    created, processing = messages_about([order])
    tell(processing)
    [known] = AnalyticsOrder.objects.all()
    assert (known.placed_at, known.total, known.status) == (None, None, OrderStatus.PROCESSING)
    tell(created)
    [known] = AnalyticsOrder.objects.all()
    assert (known.placed_at, known.total, known.pieces) == (order.created_at, Decimal("20.00"), 2)
    assert (known.status, known.user_id) == (OrderStatus.PROCESSING, placer.user_id)


def test_lines_know_their_category_and_which_products_were_rejected(placer: OrderPlacer) -> None:
    lamp, rope = placer.catalogue.plant(name="Lamp", category="Light"), placer.catalogue.add("Rope")
    order = placer.place_items((lamp, 2), (rope, 1)).order
    answer(rejected(order))
    tell(*messages_about([order]))
    lines = AnalyticsLine.objects.values_list("product_name", "category", "quantity", "placed_at", "rejected")
    assert set(lines) == {
        ("Lamp", "Light", 2, order.created_at, True),
        ("Rope", "", 1, order.created_at, False),
    }
    [known] = AnalyticsOrder.objects.all()
    assert (known.rejected, known.cancel_code) == (True, "INSUFFICIENT_STOCK")


def test_a_cancelled_order_is_not_a_rejected_one(placer: OrderPlacer) -> None:
    order = placer.place()
    cancel_order(order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)
    tell(*messages_about([order]))
    [known] = AnalyticsOrder.objects.all()
    assert (known.rejected, known.cancel_code) == (False, "CUSTOMER_REQUEST")
    assert known.cancelled_at is not None


def test_a_reserved_order_that_waits_for_its_payment_is_told_and_no_order_twice(placer: OrderPlacer) -> None:
    waiting = placer.place(payment_method=PaymentMethod.CREDIT_CARD)
    paid_on_delivery = placer.place()
    answer(reserved(waiting), reserved(paid_on_delivery))
    topics = {
        order.id: [message.topic for message in messages_about([order])]
        for order in (waiting, paid_on_delivery)
    }
    assert topics == {
        waiting.id: ["order.created", "order.updated"],
        paid_on_delivery.id: ["order.created", "order.status.changed"],
    }


def test_a_message_without_a_user_is_invalid(placer: OrderPlacer) -> None:
    [created] = messages_about([placer.place()])
    value = msgspec.json.encode(msgspec.json.decode(created.value or b"") | {"userId": "somebody"})
    with pytest.raises(InvalidMessage, match=r"no user: 'somebody' - at `\$\.userId`"):
        decode(received(created, value=value))


def test_money_that_is_none_is_a_dead_letter_and_gets_into_no_figure(placer: OrderPlacer) -> None:
    [created] = messages_about([placer.place()])
    for bad in ({"totalAmount": "NaN"}, {"totalAmount": "-1.00"}, {"currency": "GOLD"}):
        value = msgspec.json.encode(msgspec.json.decode(created.value or b"") | bad)
        with pytest.raises(InvalidMessage, match=r"no amount of money|no currency"):
            decode(received(created, value=value))


def test_what_is_told_during_a_rebuild_is_in_the_new_figures(placer: OrderPlacer) -> None:
    old, new = messages_about([placer.place()]), messages_about([placer.place_reserved()])

    def slices() -> Iterator[Sequence[VersionedMessage]]:
        yield versioned(old)
        run_beside(lambda: tell(*new))
        assert known_orders() == {order_of(new)}

    rebuild(slices())
    assert known_orders() == {order_of(old), order_of(new)}


def known_orders() -> set[str]:
    return {str(order.order_id) for order in AnalyticsOrder.objects.all()}


def order_of(messages: Sequence[OutgoingMessage]) -> str:
    [order_id] = fold(versioned(messages)).orders
    return order_id


def test_a_rebuild_that_fails_leaves_the_figures_as_they_are(placer: OrderPlacer) -> None:
    tell(*messages_about([placer.place()]))
    before, in_use = figures(), copy_in_use()

    def refuse(copy: Copy) -> None:
        raise ValueError(copy)

    with pytest.raises(ValueError, match=r"^[ab]$"):
        rebuild([], refuse)
    assert (figures(), copy_in_use()) == (before, in_use)
    rebuild(log_slices())
    assert figures() == before


def test_two_rebuilds_at_a_time_are_refused() -> None:
    def another() -> None:
        with pytest.raises(RebuildUnderWay):
            rebuild([])

    with rebuilding():
        run_beside(another)
    rebuild([])


def test_a_switch_waits_for_a_query_that_reads_the_old_figures(placer: OrderPlacer) -> None:
    tell(*messages_about([placer.place()]))
    with transaction.atomic():
        assert AnalyticsOrder.objects.count() == 1
        switching = start_beside(lambda: rebuild(log_slices()))
        with pytest.raises(TimeoutError):
            switching.result(0.6)
        # Others are held up for a moment only.
        assert run_beside(AnalyticsOrder.objects.count) == 1
    assert result_of(switching).orders == 1


def test_tables_that_are_missing_are_waited_for(placer: OrderPlacer) -> None:
    [created] = messages_about([placer.place()])
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE analytics_line_a RENAME TO gone")
        cursor.execute("ALTER TABLE analytics_line_b RENAME TO gone_too")
    try:
        with pytest.raises(DependencyUnavailable, match="migrate"):
            tell(created)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE gone RENAME TO analytics_line_a")
            cursor.execute("ALTER TABLE gone_too RENAME TO analytics_line_b")
    assert not AnalyticsOrder.objects.exists()
