"""Changes by customers and staff: each change has its events, and a refusal has none."""

from collections.abc import Callable
from uuid import UUID

import pytest

from orders_app import event_data, event_effects, event_log
from orders_app.document import OrderDocument
from orders_app.event_data import EventType
from orders_app.event_log import Origin
from orders_app.exceptions import (
    OrderNotDeletable,
    OrderNotEditable,
    OrderNotFound,
    OrderNotPayable,
    TransitionNotAllowed,
)
from orders_app.fold import rebuild_order
from orders_app.models import Order, OrderItem
from orders_app.services.change_order import (
    CANCELLED_BY_CUSTOMER,
    CANCELLED_BY_STAFF,
    cancel_order,
    change_status,
    delete_order,
    mark_paid,
    update_order,
)
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus, StockStatus
from tests.orders_app.ordering import (
    OTHER_ADDRESS,
    STAFF,
    TRACE_PARENT,
    OrderPlacer,
    all_that_is_stored,
    answer,
    events,
    last_event,
    move,
    now,
    rejected,
    reserved,
)

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSING, SHIPPED, DELIVERED = OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED
CANCELLED = OrderStatus.CANCELLED


def cancel(order: OrderDocument) -> OrderDocument:
    return cancel_order(order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)


def data_of(order: OrderDocument, event_type: EventType) -> event_data.EventData:
    event = next(event for event in event_log.history(order.id) if event.type == event_type)
    return event_effects.decode(event.type, event.data)


def test_a_transition_is_one_version_with_one_event(placer: OrderPlacer) -> None:
    placed = placer.place()
    moved = move(placed, PROCESSING)
    assert (moved.status, moved.status_label, moved.version) == (PROCESSING, "Processing", 2)
    assert now(placed) == moved
    event = last_event(placed)
    assert (event.type, event.actor, event.trace_parent) == ("order.status.changed", "staff:1", TRACE_PARENT)
    data = event_effects.decode(event.type, event.data)
    assert isinstance(data, event_data.StatusChanged)
    assert (data.old_status, data.new_status, data.order_number) == (1, 2, placed.order_number)


def test_shipping_records_the_time(placer: OrderPlacer) -> None:
    shipped = placer.place_and_move(PROCESSING, SHIPPED)
    assert shipped.shipped_at == shipped.updated_at
    assert now(shipped) == shipped


def test_delivery_completes_the_order_in_a_version_of_its_own(placer: OrderPlacer) -> None:
    delivered = placer.place_and_move(PROCESSING, SHIPPED, DELIVERED, payment_method=PaymentMethod.STRIPE)
    assert events(delivered)[-2:] == ["order.status.changed", "order.completed"]
    data = data_of(delivered, EventType.COMPLETED)
    assert isinstance(data, event_data.Completed)
    assert (data.items, data.total_amount) == (delivered.items, delivered.total_amount)
    assert data.delivered_at == delivered.delivered_at
    assert delivered.payment_status == PaymentStatus.PENDING
    assert now(delivered) == delivered


def test_cash_on_delivery_is_paid_when_delivered(placer: OrderPlacer) -> None:
    delivered = placer.place_and_move(PROCESSING, SHIPPED, DELIVERED)
    assert delivered.payment_status == PaymentStatus.PAID
    assert events(delivered)[-3:] == ["order.status.changed", "order.completed", "order.payment"]


@pytest.mark.parametrize("path", [(), (PROCESSING,), (PROCESSING, SHIPPED)])
def test_an_order_can_be_cancelled_until_it_is_delivered(
    placer: OrderPlacer, path: tuple[OrderStatus, ...]
) -> None:
    order = cancel(placer.place_and_move(*path))
    assert (order.status, order.cancel_reason) == (CANCELLED, CANCELLED_BY_CUSTOMER)
    assert order.cancelled_at == order.updated_at
    assert events(order)[-2:] == ["order.status.changed", "order.cancelled"]
    assert now(order) == order


def test_the_event_of_a_cancellation_has_all_that_its_messages_need(placer: OrderPlacer) -> None:
    order = cancel(placer.place())
    data = data_of(order, EventType.CANCELLED)
    assert isinstance(data, event_data.Cancelled)
    assert (data.items, data.total_amount) == (order.items, order.total_amount)
    assert (data.reason, data.release_stock) == (CANCELLED_BY_CUSTOMER.detail, True)
    status_data = data_of(order, EventType.STATUS_CHANGED)
    assert isinstance(status_data, event_data.StatusChanged)
    assert status_data.reason == CANCELLED_BY_CUSTOMER.detail


def test_staff_cancel_by_status_with_a_reason_of_their_own(placer: OrderPlacer) -> None:
    assert placer.place_and_move(CANCELLED).cancel_reason == CANCELLED_BY_STAFF


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ((), SHIPPED),
        ((), DELIVERED),
        ((), OrderStatus.PENDING),
        ((PROCESSING,), PROCESSING),
        ((PROCESSING, SHIPPED), PROCESSING),
        ((PROCESSING, SHIPPED, DELIVERED), CANCELLED),
        ((CANCELLED,), CANCELLED),
        ((CANCELLED,), PROCESSING),
    ],
)
def test_a_forbidden_transition_changes_nothing(
    placer: OrderPlacer, path: tuple[OrderStatus, ...], wanted: OrderStatus
) -> None:
    order = placer.place_and_move(*path)
    before = all_that_is_stored()
    with pytest.raises(TransitionNotAllowed) as refusal:
        change_status(order_id=order.id, new_status=wanted, origin=STAFF)
    assert (refusal.value.current, refusal.value.wanted) == (order.status, wanted)
    assert wanted not in refusal.value.allowed
    assert all_that_is_stored() == before


def test_a_refused_transition_names_the_possible_ones(placer: OrderPlacer) -> None:
    order = placer.place()
    with pytest.raises(TransitionNotAllowed) as refusal:
        change_status(order_id=order.id, new_status=SHIPPED, origin=STAFF)
    assert str(refusal.value) == (
        "An order that is Pending cannot become Shipped; it can become Processing (2) or Cancelled (5)."
    )


def test_the_address_can_be_changed_while_pending(placer: OrderPlacer) -> None:
    order = placer.place()
    edited = update_order(order_id=order.id, shipping_address=OTHER_ADDRESS, origin=STAFF)
    assert (edited.shipping_address, edited.version) == (OTHER_ADDRESS, 2)
    assert events(order) == ["order.updated"]
    assert now(order) == edited


def test_the_address_cannot_be_changed_later(placer: OrderPlacer) -> None:
    order = placer.place_and_move(PROCESSING)
    before = all_that_is_stored()
    with pytest.raises(OrderNotEditable, match="shippingAddress"):
        update_order(order_id=order.id, shipping_address=OTHER_ADDRESS, tracking_number="T", origin=STAFF)
    assert all_that_is_stored() == before


def test_the_tracking_number_can_be_set_until_the_order_is_final(placer: OrderPlacer) -> None:
    order = placer.place_and_move(PROCESSING, SHIPPED)
    assert update_order(order_id=order.id, tracking_number="T-1", origin=STAFF).tracking_number == "T-1"
    move(order, DELIVERED)
    before = all_that_is_stored()
    with pytest.raises(OrderNotEditable, match="trackingNumber"):
        update_order(order_id=order.id, tracking_number="T-2", origin=STAFF)
    assert all_that_is_stored() == before


def test_a_tracking_number_can_be_removed(placer: OrderPlacer) -> None:
    order = placer.place()
    update_order(order_id=order.id, tracking_number="T-1", origin=STAFF)
    taken_back = update_order(order_id=order.id, tracking_number="", origin=STAFF)
    assert taken_back.tracking_number is None
    assert now(order) == taken_back == rebuild_order(event_log.history(order.id))


def test_an_edit_that_changes_nothing_leaves_no_event(placer: OrderPlacer) -> None:
    order = placer.place_and_move(PROCESSING)
    before = all_that_is_stored()
    update_order(order_id=order.id, shipping_address=order.shipping_address, origin=STAFF)
    assert all_that_is_stored() == before


def test_a_paid_order_waits_for_its_stock(placer: OrderPlacer) -> None:
    order = placer.place(PaymentMethod.STRIPE)
    paid = mark_paid(order_id=order.id, origin=STAFF)
    assert (paid.payment_status, paid.status) == (PaymentStatus.PAID, OrderStatus.PENDING)
    assert events(order) == ["order.payment"]


def test_a_paid_order_with_its_stock_becomes_processing(placer: OrderPlacer) -> None:
    order = placer.place(PaymentMethod.STRIPE)
    answer(reserved(order))
    paid = mark_paid(order_id=order.id, origin=STAFF)
    assert paid.status == PROCESSING
    assert events(order) == ["order.confirmed", "order.payment", "order.status.changed"]


def test_marking_paid_twice_changes_nothing_more(placer: OrderPlacer) -> None:
    order = placer.place(PaymentMethod.STRIPE)
    paid = mark_paid(order_id=order.id, origin=STAFF)
    before = all_that_is_stored()
    assert mark_paid(order_id=order.id, origin=STAFF) == paid
    assert all_that_is_stored() == before


def test_a_cancelled_order_cannot_be_marked_paid(placer: OrderPlacer) -> None:
    order = placer.place_and_move(CANCELLED)
    before = all_that_is_stored()
    with pytest.raises(OrderNotPayable):
        mark_paid(order_id=order.id, origin=STAFF)
    assert all_that_is_stored() == before


@pytest.mark.parametrize("path", [(CANCELLED,), (PROCESSING, SHIPPED, DELIVERED)])
def test_a_final_order_can_be_deleted_and_stays_in_the_log(
    placer: OrderPlacer, path: tuple[OrderStatus, ...]
) -> None:
    order = placer.place_and_move(*path)
    delete_order(order_id=order.id, origin=STAFF)
    assert not Order.objects.exists()
    assert not OrderItem.objects.exists()
    last = last_event(order)
    assert (last.type, last.version, last.actor) == ("order.deleted", order.version + 1, "staff:1")


@pytest.mark.parametrize("path", [(), (PROCESSING,), (PROCESSING, SHIPPED)])
def test_an_order_that_is_not_final_cannot_be_deleted(
    placer: OrderPlacer, path: tuple[OrderStatus, ...]
) -> None:
    order = placer.place_and_move(*path)
    before = all_that_is_stored()
    with pytest.raises(OrderNotDeletable):
        delete_order(order_id=order.id, origin=STAFF)
    assert all_that_is_stored() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda unknown: change_status(order_id=unknown, new_status=PROCESSING, origin=STAFF),
        lambda unknown: cancel_order(order_id=unknown, reason=CANCELLED_BY_STAFF, origin=STAFF),
        lambda unknown: update_order(order_id=unknown, tracking_number="T", origin=STAFF),
        lambda unknown: mark_paid(order_id=unknown, origin=STAFF),
        lambda unknown: delete_order(order_id=unknown, origin=STAFF),
    ],
    ids=["change_status", "cancel_order", "update_order", "mark_paid", "delete_order"],
)
def test_an_order_that_does_not_exist_cannot_be_changed(change: Callable[[UUID], object]) -> None:
    before = all_that_is_stored()
    with pytest.raises(OrderNotFound):
        change(UUID(int=7))
    assert all_that_is_stored() == before


def test_an_error_during_a_change_leaves_the_order_unchanged(placer: OrderPlacer) -> None:
    order = placer.place()
    before = all_that_is_stored()
    too_long = Origin("customer:" + "1" * 200)
    with pytest.raises(Exception, match="too long"):
        cancel_order(order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=too_long)
    assert all_that_is_stored() == before


def test_a_rejected_order_that_is_deleted_causes_no_release(placer: OrderPlacer) -> None:
    order = placer.place()
    answer(rejected(order))
    data = data_of(order, EventType.CANCELLED)
    assert isinstance(data, event_data.Cancelled)
    assert not data.release_stock
    assert now(order).stock_status == StockStatus.REJECTED
