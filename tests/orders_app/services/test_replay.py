"""Rows equal the fold of the log after any actions, and replay_orders finds rows that differ."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders_app import event_log
from orders_app.document import OrderDocument
from orders_app.event_data import EventType
from orders_app.exceptions import NotAllowedNow, OrderNotFound
from orders_app.fold import rebuild_order
from orders_app.models import Order, OrderEvent, OrderItem
from orders_app.services.change_order import (
    CANCELLED_BY_CUSTOMER,
    cancel_order,
    delete_order,
    mark_paid,
    update_order,
)
from orders_app.services.replay_orders import compare_slices
from orders_app.sockets.recent_orders import RecentOrders
from orders_app.sockets.socket_messages import socket_messages
from orders_app.state_machine import FINAL, OrderStatus, PaymentMethod
from tests.orders_app.history.told_orders import fields_to_tell, order_told_by
from tests.orders_app.ordering import (
    ADDRESS,
    OTHER_ADDRESS,
    STAFF,
    OrderPlacer,
    answer,
    move,
    now,
    rejected,
    released,
    reserved,
)

pytestmark = pytest.mark.django_db(transaction=True)

Action = Callable[[OrderDocument], Any]


def moving_to(status: OrderStatus) -> Action:
    return lambda order: move(order, status)


ACTIONS: dict[str, Action] = {
    "process": moving_to(OrderStatus.PROCESSING),
    "ship": moving_to(OrderStatus.SHIPPED),
    "deliver": moving_to(OrderStatus.DELIVERED),
    "cancel": lambda order: cancel_order(order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF),
    "pay": lambda order: mark_paid(order_id=order.id, origin=STAFF),
    "move": lambda order: update_order(
        order_id=order.id, shipping_address=OTHER_ADDRESS, tracking_number="T-1", origin=STAFF
    ),
    "move back": lambda order: update_order(
        order_id=order.id, shipping_address=ADDRESS, tracking_number="", origin=STAFF
    ),
    "reserved": lambda order: answer(reserved(order)),
    "rejected": lambda order: answer(rejected(order)),
    "released": lambda order: answer(released(order)),
    "several answers": lambda order: answer(reserved(order), released(order), rejected(order)),
}


def replay(*arguments: str) -> str:
    output = StringIO()
    call_command("replay_orders", *arguments, stdout=output)
    return output.getvalue()


def differences() -> list[tuple[str, object, object]]:
    return [(found.field, found.row, found.log) for part in compare_slices(10) for found in part.differences]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from([PaymentMethod.CASH_ON_DELIVERY, PaymentMethod.STRIPE]),
    actions=st.lists(st.sampled_from(sorted(ACTIONS)), max_size=12),
)
def test_rows_and_log_agree_after_any_actions(
    placer: OrderPlacer, method: PaymentMethod, actions: list[str]
) -> None:
    order = placer.place(method)
    for name in actions:
        try:
            ACTIONS[name](order)
        except NotAllowedNow:
            continue
    history = event_log.history(order.id)
    assert now(order) == rebuild_order(history)
    assert order_told_by(history) == fields_to_tell(now(order))
    assert [event.version for event in history] == list(range(1, len(history) + 1))
    ends = [event for event in history if event.type in {EventType.CANCELLED, EventType.COMPLETED}]
    assert len(ends) == (now(order).status in FINAL)


def test_replay_reports_nothing_about_orders_that_agree(placer: OrderPlacer) -> None:
    placer.place()
    deleted = placer.place_and_move(OrderStatus.CANCELLED)
    delete_order(order_id=deleted.id, origin=STAFF)
    assert replay() == "2 orders checked, 0 differ, 0 rewritten.\n"


def test_replay_reads_every_order_in_slices(placer: OrderPlacer) -> None:
    placed = {placer.place().id for _ in range(7)}
    slices = [part.order_ids for part in compare_slices(3)]
    assert [len(order_ids) for order_ids in slices] == [3, 3, 1]
    assert {order_id for order_ids in slices for order_id in order_ids} == placed


def test_replay_prints_each_difference_and_fails(placer: OrderPlacer) -> None:
    order = placer.place()
    Order.objects.filter(pk=order.id).update(status=OrderStatus.SHIPPED, tracking_number="T-1")
    output = StringIO()
    with pytest.raises(CommandError, match="1 orders differ"):
        call_command("replay_orders", stdout=output)
    assert f"{order.id} status: the row has 3, the events tell 1\n" in output.getvalue()
    assert f"{order.id} trackingNumber: the row has 'T-1', the events tell None\n" in output.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        lambda: Order.objects.update(status=OrderStatus.SHIPPED, total_amount=1, version=9),
        lambda: Order.objects.update(payment_attempts=2, payment_reference="pi_1", refunded_amount=5),
        lambda: OrderItem.objects.update(quantity=1),
        lambda: Order.objects.all().delete(),
    ],
    ids=["changed row", "changed payment", "changed item", "missing row"],
)
def test_replay_rewrites_rows_that_differ(placer: OrderPlacer, damage: Callable[[], object]) -> None:
    order = placer.place_items((placer.catalogue.add(), 2), (placer.catalogue.add("Rope"), 3)).order
    damage()
    assert differences()
    assert replay("--rebuild").endswith("1 orders checked, 1 differ, 1 rewritten.\n")
    assert now(order) == order
    assert differences() == []


def test_replay_removes_the_row_of_a_deleted_order(placer: OrderPlacer) -> None:
    order = placer.place_and_move(OrderStatus.CANCELLED)
    row = Order.objects.get()
    delete_order(order_id=order.id, origin=STAFF)
    row.save(force_insert=True)
    replay("--rebuild")
    with pytest.raises(OrderNotFound):
        now(order)


def test_replay_keeps_a_row_that_the_log_does_not_know(placer: OrderPlacer) -> None:
    row = Order.objects.get(pk=placer.place().id)
    row.pk, row.order_number = type(row.pk)(int=7), "SB-NONE-0001"
    row.save(force_insert=True)
    with pytest.raises(CommandError, match="1 orders differ"):
        replay("--rebuild")
    assert Order.objects.filter(pk=row.pk).exists()


def test_rebuilding_keeps_the_idempotency_key(placer: OrderPlacer) -> None:
    lantern = placer.catalogue.add()
    order = placer.place_items((lantern, 1), key="k-1").order
    Order.objects.update(status=OrderStatus.SHIPPED)
    replay("--rebuild")
    assert placer.place_items((lantern, 1), key="k-1").order == order


UNREADABLE: list[tuple[str, dict[str, Any]]] = [
    ("order.created", {"orderNumber": "SB-1", "changes": {"items": [{"productName": 5}]}}),
    ("order.updated", {"orderNumber": 5}),
    ("order.updated", {}),
    ("order.gift_wrapped", {"orderNumber": "SB-1", "changes": {}}),
]


def append_by_hand(order: OrderDocument, event_type: str, data: dict[str, Any]) -> None:
    """An event that no service of this version writes."""
    OrderEvent.objects.create(
        order_id=order.id,
        version=order.version + 1,
        type=event_type,
        user_id=int(order.user_id),
        data=data,
        actor="hand",
        created_at=order.created_at,
    )


@pytest.mark.parametrize(("event_type", "data"), UNREADABLE)
def test_an_event_that_cannot_be_read_is_named_and_the_other_orders_are_compared(
    placer: OrderPlacer, event_type: str, data: dict[str, Any]
) -> None:
    before, broken, after = placer.place(), placer.place(), placer.place()
    append_by_hand(broken, event_type, data)
    Order.objects.filter(pk=after.id).update(street="elsewhere")
    out = StringIO()
    for options in ([], ["--rebuild"]):
        with pytest.raises(CommandError):
            call_command("replay_orders", *options, stdout=out)
    assert f"{broken.id} history" in out.getvalue()
    assert f"{broken.id} cannot be rewritten" in out.getvalue()
    assert now(after).shipping_address == ADDRESS
    assert str(before.id) not in out.getvalue()


@pytest.mark.parametrize(("event_type", "data"), UNREADABLE)
def test_an_event_that_cannot_be_read_takes_no_socket_message_from_other_orders(
    placer: OrderPlacer, event_type: str, data: dict[str, Any]
) -> None:
    broken, other = placer.place(), placer.place()
    append_by_hand(broken, event_type, data)
    events = event_log.histories([broken.id, other.id])
    texts = [message.text for message in socket_messages(events, RecentOrders())]
    assert [str(broken.id) in text for text in texts].count(True) == 1
    assert [str(other.id) in text for text in texts].count(True) == 1
