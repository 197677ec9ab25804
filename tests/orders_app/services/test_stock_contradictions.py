"""Answers of the stock service that contradict their order: kept, counted, and put right by asking again."""

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.types import EventDict

from orders_app import event_data, event_effects, event_log
from orders_app.document import CancelCode, OrderDocument
from orders_app.event_data import EventType
from orders_app.fold import rebuild_order
from orders_app.models import StockContradiction
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER, cancel_order
from orders_app.services.stock_answers import (
    MessageOrigin,
    StockAnswer,
    StockRejected,
    StockReleased,
    StockReserved,
    StockShortage,
)
from orders_app.state_machine import OrderStatus, StockStatus
from tests.orders_app.ordering import (
    STAFF,
    OrderPlacer,
    all_that_is_stored,
    answer,
    events,
    last_event,
    move,
    now,
    rejected,
    released,
    reserved,
    state,
)

pytestmark = pytest.mark.django_db(transaction=True)
PENDING, PROCESSING, SHIPPED = OrderStatus.PENDING, OrderStatus.PROCESSING, OrderStatus.SHIPPED
DELIVERED, CANCELLED = OrderStatus.DELIVERED, OrderStatus.CANCELLED
OTHER = "665f1f77bcf86cd799439011"


def product(order: OrderDocument) -> str:
    return order.items[0].product_id


def kinds() -> list[tuple[str, str]]:
    return list(StockContradiction.objects.order_by("id").values_list("kind", "outcome"))


def true_origin(order: OrderDocument) -> MessageOrigin:
    """The origin of an answer to the command that the order has sent last."""
    commands = {
        "order.created": "reserve",
        "order.reserve.requested": "reserve",
        "order.cancelled": "release",
    }
    asking = [event for event in event_log.history(order.id) if event.type in commands][-1]
    return MessageOrigin("true", f"{asking.event_id}:inventory.{commands[asking.type]}")


Stock = Callable[[OrderDocument, MessageOrigin], StockAnswer]


def settle_truly(order: OrderDocument, holds: bool) -> None:
    """Answers what the order asks as the stock service does, until it asks nothing any more."""
    for _ in range(10):
        before = now(order)
        origin = true_origin(order)
        is_release = origin.cause.endswith("release")
        if is_release:
            answer(released(order, origin) if holds else StockReleased(str(order.id), {}, origin))
        else:
            answer(reserved(order, origin) if holds else rejected(order, origin=origin))
        if now(order) == before:
            return
    raise AssertionError("the order goes on asking")


# Answers that no stock service gives to an order of two pieces of one product.
IMPOSSIBLE: dict[str, tuple[str, Callable[[OrderDocument], StockAnswer]]] = {
    "reserved, no lines": ("reserved_otherwise", lambda order: StockReserved(str(order.id), {})),
    "reserved, fewer pieces": (
        "reserved_otherwise",
        lambda order: StockReserved(str(order.id), {product(order): 1}),
    ),
    "reserved, more pieces": (
        "reserved_otherwise",
        lambda order: StockReserved(str(order.id), {product(order): 3}),
    ),
    "reserved, another product": (
        "reserved_otherwise",
        lambda order: StockReserved(str(order.id), {OTHER: 2}),
    ),
    "reserved, one product more": (
        "reserved_otherwise",
        lambda order: StockReserved(str(order.id), {product(order): 2, OTHER: 1}),
    ),
    "rejected, another product": (
        "rejected_otherwise",
        lambda order: StockRejected(str(order.id), [StockShortage(OTHER, "PRODUCT_NOT_FOUND", 2, 0)]),
    ),
    "rejected, another quantity": (
        "rejected_otherwise",
        lambda order: StockRejected(
            str(order.id), [StockShortage(product(order), "INSUFFICIENT_STOCK", 9, 1)]
        ),
    ),
    "rejected, though enough": (
        "rejected_otherwise",
        lambda order: StockRejected(
            str(order.id), [StockShortage(product(order), "INSUFFICIENT_STOCK", 2, 2)]
        ),
    ),
    "rejected, a product twice": (
        "rejected_otherwise",
        lambda order: StockRejected(
            str(order.id), [StockShortage(product(order), "PRODUCT_INACTIVE", 2, 0)] * 2
        ),
    ),
    "released, nothing": ("released_while_live", lambda order: StockReleased(str(order.id), {})),
    "released, all": ("released_while_live", released),
    "released, what it never held": (
        "released_otherwise",
        lambda order: StockReleased(str(order.id), {OTHER: 5}),
    ),
}


@pytest.mark.parametrize("holds", [True, False], ids=["reserved", "rejected"])
@pytest.mark.parametrize("moment", ["before", "after", "twice before", "twice after"])
@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_an_impossible_answer_changes_nothing_about_how_the_order_ends(
    placer: OrderPlacer, name: str, moment: str, holds: bool
) -> None:
    kind, forge = IMPOSSIBLE[name]
    order = placer.place()
    forged = [forge(order)] * (2 if "twice" in moment else 1)
    if "before" in moment:
        answer(*forged)
        assert now(order).status == PENDING
        assert kinds()[0] == (kind, "asked_again")
    settle_truly(order, holds)
    if "after" in moment:
        answer(*forged)
        settle_truly(order, holds)
    assert state(order) == (
        (PROCESSING, StockStatus.RESERVED) if holds else (CANCELLED, StockStatus.REJECTED)
    )
    if not holds:
        reason = now(order).cancel_reason
        assert reason is not None
        assert reason.detail == "We could not reserve your order: Lantern: 2 requested, 1 available."
    assert now(order) == rebuild_order(event_log.history(order.id))


def test_an_order_ends_rejected_though_a_possible_reservation_was_forged(placer: OrderPlacer) -> None:
    for forge_first in (True, False):
        order = placer.place()
        steps: list[Callable[[OrderDocument], object]] = [
            lambda order: answer(reserved(order)),
            lambda order: settle_truly(order, holds=False),
        ]
        for step in steps if forge_first else reversed(steps):
            step(order)
        settle_truly(order, holds=False)
        assert now(order).status == CANCELLED
        assert now(order).stock_status in {StockStatus.REJECTED, StockStatus.RELEASED}
    assert ("rejected_after_reserved", "asked_again") in kinds()
    assert ("reserved_after_rejected", "release_requested") in kinds()


def test_forged_rejections_of_a_reserved_order_never_cancel_it(placer: OrderPlacer) -> None:
    order = placer.place()
    settle_truly(order, holds=True)
    answer(rejected(order, 1), rejected(order, 0), rejected(order, 1))
    assert state(order) == (PROCESSING, StockStatus.PENDING)
    assert events(order)[-1] == "order.reserve.requested"
    settle_truly(order, holds=True)
    assert state(order) == (PROCESSING, StockStatus.RESERVED)
    assert kinds()[0] == ("rejected_after_reserved", "asked_again")


@pytest.mark.parametrize("at_once", [True, False])
def test_an_answer_with_headers_copied_from_an_earlier_one_is_not_believed(
    placer: OrderPlacer, at_once: bool
) -> None:
    order = placer.place()
    copied = true_origin(order)
    settle_truly(order, holds=True)
    forged: list[StockAnswer] = [
        StockReserved(str(order.id), {}, copied),
        rejected(order, 0, copied),
        released(order, copied),
    ]
    for batch in [forged] if at_once else [[each] for each in forged]:
        answer(*batch)
    assert state(order) == (PROCESSING, StockStatus.PENDING)
    settle_truly(order, holds=True)
    assert state(order) == (PROCESSING, StockStatus.RESERVED)


def test_an_answer_that_the_stock_service_repeats_to_our_own_request_is_believed(
    placer: OrderPlacer,
) -> None:
    order = placer.place()
    answer(StockReleased(str(order.id), {}, true_origin(order)))
    current = now(order)
    assert (current.status, current.cancel_reason and current.cancel_reason.code) == (
        CANCELLED,
        CancelCode.STOCK_RELEASED,
    )
    data = event_effects.decode(EventType.CANCELLED, last_event(order).data)
    assert isinstance(data, event_data.Cancelled)
    assert data.release_stock
    answer(StockReleased(str(order.id), {}, true_origin(order)))
    assert state(order) == (CANCELLED, StockStatus.RELEASED)


@pytest.mark.parametrize("path", [(SHIPPED,), (SHIPPED, DELIVERED)], ids=["shipped", "delivered"])
@pytest.mark.parametrize("tell", [rejected, released], ids=["rejected", "released"])
def test_nothing_cancels_an_order_that_is_shipped(
    placer: OrderPlacer, tell: Any, path: Sequence[OrderStatus]
) -> None:
    order = placer.place()
    settle_truly(order, holds=True)
    for status in path:
        move(order, status)
    answer(tell(order))
    assert state(order) == (path[-1], StockStatus.PENDING)
    answer(tell(order, origin=true_origin(order)))
    assert now(order).status == path[-1]
    assert now(order).stock_status in {StockStatus.REJECTED, StockStatus.RELEASED}
    assert kinds()[-1][1] == "for_people"


def test_a_rejection_that_comes_again_after_the_stock_was_requested_again_is_kept_once(
    placer: OrderPlacer,
) -> None:
    order = placer.place_and_move(PROCESSING)
    answer(rejected(order))
    answer(reserved(order))
    assert events(order)[-1] == "order.reserve.requested"
    answer(rejected(order))
    assert [kind for kind, _ in kinds()].count("without_stock") == 1
    settle_truly(order, holds=True)
    assert state(order) == (PROCESSING, StockStatus.RESERVED)


def test_a_true_reservation_after_a_rejection_of_a_shipped_order_wins(placer: OrderPlacer) -> None:
    order = placer.place_and_move(PROCESSING, SHIPPED)
    answer(rejected(order))
    settle_truly(order, holds=True)
    assert state(order) == (SHIPPED, StockStatus.RESERVED)


def test_every_ordering_of_forged_answers_about_a_cancelled_order_ends_the_same(placer: OrderPlacer) -> None:
    forgeries: list[Callable[[OrderDocument], StockAnswer]] = [
        reserved,
        rejected,
        IMPOSSIBLE["reserved, no lines"][1],
        IMPOSSIBLE["released, what it never held"][1],
    ]
    for ordering in permutations(forgeries):
        order = placer.place()
        settle_truly(order, holds=True)
        cancel_order(order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)
        answer(*(forge(order) for forge in ordering))
        settle_truly(order, holds=True)
        assert state(order) == (CANCELLED, StockStatus.RELEASED)


def test_a_contradiction_is_kept_counted_and_logged_once(
    placer: OrderPlacer, captured_log: list[EventDict]
) -> None:
    labels = {"kind": "reserved_otherwise"}
    counted = REGISTRY.get_sample_value("stockbridge_contradictions_total", labels) or 0
    order = placer.place()
    forged = StockReserved(str(order.id), {OTHER: 3}, MessageOrigin("a\x00\n\x1b[31mb" * 100))
    answer(forged, forged)
    before = all_that_is_stored()
    answer(forged)
    assert all_that_is_stored() == before
    kept = StockContradiction.objects.get()
    assert (kept.order_id, kept.order_number) == (order.id, order.order_number)
    assert OTHER in kept.told
    assert kept.order_says == f'Pending, stock pending, {{"{product(order)}":2}}'
    assert kept.message_id.isprintable()
    assert kept.message_id.startswith(r"a\x00\n\x1b[31mb")
    assert REGISTRY.get_sample_value("stockbridge_contradictions_total", labels) == counted + 1
    lines = [line for line in captured_log if line["event"].startswith("an answer about stock")]
    assert [(line["kind"], line["order_id"]) for line in lines] == [("reserved_otherwise", str(order.id))]


def test_what_a_stranger_wrote_never_reaches_the_customer(placer: OrderPlacer) -> None:
    order = placer.place()
    shortages = [
        StockShortage("pay at\nhttp://evil.example", "INSUFFICIENT_STOCK", 2, 1),
        StockShortage(product(order), "INSUFFICIENT_STOCK", 2, 1),
    ]
    answer(StockRejected(str(order.id), shortages, true_origin(order)))
    reason = now(order).cancel_reason
    assert reason is not None
    assert reason.detail == "We could not reserve your order: Lantern: 2 requested, 1 available."
    lost = placer.place()
    answer(StockRejected(str(lost.id), shortages[:1], true_origin(lost)))
    assert now(lost).cancel_reason is not None
    assert "evil" not in str(now(lost).cancel_reason)


def test_many_shortages_are_counted_after_the_first(placer: OrderPlacer) -> None:
    lines = [(placer.catalogue.add(f"Lamp {number}"), 1) for number in range(30)]
    order = placer.place_items(*lines).order
    answer(
        StockRejected(
            str(order.id), [StockShortage(product_id, "PRODUCT_INACTIVE", 1, 0) for product_id, _ in lines]
        )
    )
    reason = now(order).cancel_reason
    assert reason is not None
    assert reason.detail.count("no longer sold") == 20
    assert reason.detail.endswith("; and 10 more products.")


def test_an_answer_about_contradictions_of_unknown_orders_is_not_kept(placer: OrderPlacer) -> None:
    answer(StockReserved("external-7", {OTHER: 1}))
    assert not StockContradiction.objects.exists()
