"""Answers of the stock service: in and out of order, and repeated."""

import itertools
from uuid import uuid4

import pytest

from orders_app import event_data, event_effects, event_log
from orders_app.document import CancelCode, OrderDocument
from orders_app.event_data import EventType
from orders_app.fold import rebuild_order
from orders_app.models import StockContradiction
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER, cancel_order, mark_paid
from orders_app.services.stock_answers import StockRejected, StockReserved, StockShortage
from orders_app.state_machine import OrderStatus, PaymentMethod, StockStatus
from tests.orders_app.ordering import (
    STAFF,
    TRACE_PARENT,
    OrderPlacer,
    all_that_is_stored,
    answer,
    events,
    last_event,
    now,
    rejected,
    released,
    reserved,
    state,
)

pytestmark = pytest.mark.django_db(transaction=True)
PATH = (OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED)


def cancelled(order: OrderDocument) -> OrderDocument:
    return cancel_order(order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)


def test_reserved_stock_makes_a_cash_on_delivery_order_processing(placer: OrderPlacer) -> None:
    order = placer.place()
    answer(reserved(order))
    assert state(order) == (OrderStatus.PROCESSING, StockStatus.RESERVED)
    assert events(order) == ["order.confirmed", "order.status.changed"]
    last = last_event(order)
    assert (last.actor, last.trace_parent) == ("service:stock", TRACE_PARENT)


def test_reserved_stock_leaves_other_orders_pending_until_payment(placer: OrderPlacer) -> None:
    order = placer.place(PaymentMethod.STRIPE)
    answer(reserved(order))
    assert state(order) == (OrderStatus.PENDING, StockStatus.RESERVED)
    assert events(order) == ["order.confirmed"]


def test_reserved_stock_makes_a_paid_order_processing(placer: OrderPlacer) -> None:
    order = placer.place(PaymentMethod.STRIPE)
    mark_paid(order_id=order.id, origin=STAFF)
    answer(reserved(order))
    assert state(order) == (OrderStatus.PROCESSING, StockStatus.RESERVED)


def test_reserved_stock_confirms_an_order_that_staff_moved_already(placer: OrderPlacer) -> None:
    order = placer.place_and_move(OrderStatus.PROCESSING)
    answer(reserved(order))
    assert state(order) == (OrderStatus.PROCESSING, StockStatus.RESERVED)
    assert events(order)[1:] == ["order.confirmed"]


def test_rejected_stock_cancels_with_a_reason_that_names_the_product(placer: OrderPlacer) -> None:
    order = placer.place()
    answer(rejected(order, available=1))
    assert state(order) == (OrderStatus.CANCELLED, StockStatus.REJECTED)
    assert events(order) == ["order.status.changed", "order.cancelled"]
    reason = now(order).cancel_reason
    assert reason is not None
    assert reason.code == CancelCode.INSUFFICIENT_STOCK
    assert reason.detail == "We could not reserve your order: Lantern: 2 requested, 1 available."


def test_the_reason_names_every_shortage(placer: OrderPlacer) -> None:
    lantern, rope, lamp = (placer.catalogue.add(name) for name in ("Lantern", "Rope", "Lamp"))
    order = placer.place_items((lantern, 2), (rope, 3), (lamp, 4)).order
    shortages = [
        StockShortage(lantern, "PRODUCT_NOT_FOUND", 2, 0),
        StockShortage(rope, "PRODUCT_INACTIVE", 3, 0),
        StockShortage(lamp, "INSUFFICIENT_STOCK", 4, 1),
    ]
    answer(StockRejected(str(order.id), shortages))
    reason = now(order).cancel_reason
    assert reason is not None
    assert reason.detail == (
        "We could not reserve your order: Lantern: 2 requested, no longer in the catalogue; "
        "Rope: 3 requested, no longer sold; Lamp: 4 requested, 1 available."
    )


def test_a_rejection_causes_no_release(placer: OrderPlacer) -> None:
    order = placer.place()
    answer(rejected(order))
    data = event_effects.decode(EventType.CANCELLED, last_event(order).data)
    assert isinstance(data, event_data.Cancelled)
    assert not data.release_stock


@pytest.mark.parametrize("path", [PATH[:1], PATH[:2], PATH], ids=lambda path: path[-1].label)
def test_a_rejection_never_cancels_an_order_that_staff_let_go_on_without_its_stock(
    placer: OrderPlacer, path: tuple[OrderStatus, ...]
) -> None:
    order = placer.place_and_move(*path)
    answer(rejected(order), rejected(order))
    assert state(order) == (path[-1], StockStatus.REJECTED)
    assert last_event(order).type == "order.updated"
    kept = StockContradiction.objects.get()
    assert (kept.order_id, kept.kind, kept.outcome) == (order.id, "without_stock", "for_people")


def test_the_release_of_a_cancelled_order_is_recorded(placer: OrderPlacer) -> None:
    order = placer.place()
    answer(reserved(order))
    cancelled(order)
    answer(released(order))
    assert state(order) == (OrderStatus.CANCELLED, StockStatus.RELEASED)
    assert last_event(order).type == "order.stock.released"


def test_stock_reserved_after_the_cancellation_is_released_once(placer: OrderPlacer) -> None:
    order = cancelled(placer.place())
    answer(reserved(order), reserved(order))
    assert events(order) == ["order.status.changed", "order.cancelled", "order.release.requested"]
    data = event_effects.decode(EventType.RELEASE_REQUESTED, last_event(order).data)
    assert isinstance(data, event_data.ReleaseRequested)
    assert data.items == order.items
    answer(released(order))
    assert state(order) == (OrderStatus.CANCELLED, StockStatus.RELEASED)


def test_stock_reserved_for_a_rejected_order_is_released(placer: OrderPlacer) -> None:
    order = placer.place()
    answer(rejected(order), reserved(order))
    assert last_event(order).type == "order.release.requested"


def test_an_old_reservation_after_the_release_changes_nothing(placer: OrderPlacer) -> None:
    order = cancelled(placer.place())
    answer(released(order))
    before = all_that_is_stored()
    answer(reserved(order))
    assert all_that_is_stored() == before


def test_answers_about_unknown_orders_change_nothing(placer: OrderPlacer) -> None:
    order = placer.place()
    before = all_that_is_stored()
    answer(
        StockReserved(str(uuid4()), {}),
        StockReserved("external-7", {}),
        StockReserved(f"urn:uuid:{order.id}", {}),
        StockReserved(order.id.hex, {}),
    )
    assert all_that_is_stored() == before


def test_a_batch_settles_every_order_in_it(placer: OrderPlacer) -> None:
    taken, short, lost = placer.place(), placer.place(), cancelled(placer.place())
    answer(reserved(taken), StockReserved("external-7", {}), rejected(short), reserved(lost), released(lost))
    assert [state(order)[1] for order in (taken, short, lost)] == ["reserved", "rejected", "released"]
    assert events(lost)[2:] == ["order.release.requested", "order.stock.released"]


@pytest.mark.parametrize("cancel_first", [False, True])
@pytest.mark.parametrize("kinds", list(itertools.permutations([reserved, rejected, released])))
def test_a_repeated_batch_changes_nothing(
    placer: OrderPlacer, kinds: tuple[object, ...], cancel_first: bool
) -> None:
    order = placer.place()
    if cancel_first:
        cancelled(order)
    answers = [kind(order) for kind in kinds]  # type: ignore[operator]
    answer(*answers)
    answer(*answers)
    settled = all_that_is_stored()
    answer(*answers)
    assert all_that_is_stored() == settled
    assert now(order) == rebuild_order(event_log.history(order.id))
