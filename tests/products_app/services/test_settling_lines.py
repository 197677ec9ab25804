"""Requests for one line of an order, as HTTP sends them, alone and beside those for the whole order."""

from collections.abc import Iterator
from typing import TypeVar

import pytest

from foundation.refusals import Refusal
from products_app.documents.ledger import ledger_collection
from products_app.exceptions import (
    AlreadyRejected,
    AlreadyReleased,
    InsufficientStock,
    ProductInactive,
    ProductNotFound,
    QuantityConflict,
    ReservedByAnother,
)
from products_app.messages import InventoryRejected, InventoryReleased, InventoryReserved, Shortage, StockLine
from products_app.services.catalogue import update_product
from products_app.services.stock.service import (
    LineReleased,
    LineReserved,
    Release,
    ReserveLine,
    settle,
)
from tests.products_app.lines import release_line, reserve_line
from tests.products_app.product_stock import (
    KEY,
    OTHER_KEY,
    assert_conserved,
    entry_of,
    held_of,
    new_order,
    reserve,
    stock_of,
    stocked,
)

R = TypeVar("R", bound=Refusal)


@pytest.fixture(autouse=True)
def conserved(catalogue: None) -> Iterator[None]:
    yield
    assert_conserved()


def refused(kind: type[R], order_id: str, product_id: str, quantity: int) -> R:
    """Requests a reservation that must be refused without a change; returns the refusal."""
    before = entry_of(order_id)
    with pytest.raises(kind) as caught:
        reserve_line(order_id=order_id, product_id=product_id, quantity=quantity, key=KEY)
    assert entry_of(order_id) == before
    return caught.value


def test_a_line_is_reserved_once_for_any_number_of_requests() -> None:
    lamp, order = stocked(10), new_order()
    answers = [reserve_line(order_id=order, product_id=lamp, quantity=4, key=KEY) for _ in range(3)]
    assert answers == [LineReserved(lamp, "Lantern", 4, 6, order)] * 3
    assert stock_of(lamp) == 6


def test_the_answer_stays_the_same_after_the_stock_has_changed() -> None:
    lamp, order = stocked(10), new_order()
    first = reserve_line(order_id=order, product_id=lamp, quantity=4, key=KEY)
    reserve_line(order_id=new_order(), product_id=lamp, quantity=6, key=KEY)
    assert reserve_line(order_id=order, product_id=lamp, quantity=4, key=KEY) == first
    assert stock_of(lamp) == 0


def test_another_quantity_for_the_order_is_refused() -> None:
    lamp, order = stocked(10), new_order()
    reserve_line(order_id=order, product_id=lamp, quantity=4, key=KEY)
    refusal = refused(QuantityConflict, order, lamp, 3)
    assert (refusal.requested, refusal.reserved) == (3, 4)
    assert stock_of(lamp) == 6


def test_a_quantity_above_the_stock_is_refused_with_the_stock() -> None:
    lamp = stocked(3)
    refusal = refused(InsufficientStock, new_order(), lamp, 4)
    assert (refusal.requested, refusal.available) == (4, 3)
    assert stock_of(lamp) == 3


def test_a_refused_line_can_be_reserved_later() -> None:
    lamp, order, other = stocked(3), new_order(), new_order()
    reserve_line(order_id=other, product_id=lamp, quantity=1, key=KEY)
    refused(InsufficientStock, order, lamp, 3)
    release_line(order_id=other, product_id=lamp, quantity=1, key=KEY)
    assert reserve_line(order_id=order, product_id=lamp, quantity=3, key=KEY).new_stock == 0


def test_an_inactive_product_is_refused() -> None:
    lamp = stocked(3, is_active=False)
    refused(ProductInactive, new_order(), lamp, 1)
    assert stock_of(lamp) == 3


@pytest.mark.parametrize("product_id", ["0" * 24, "no-product"])
def test_an_unknown_product_is_refused(product_id: str) -> None:
    order = new_order()
    refused(ProductNotFound, order, product_id, 1)
    with pytest.raises(ProductNotFound):
        release_line(order_id=order, product_id=product_id, quantity=1, key=KEY)
    assert entry_of(order) is None


def test_a_line_is_released_once() -> None:
    lamp, order = stocked(10), new_order()
    reserve_line(order_id=order, product_id=lamp, quantity=4, key=KEY)
    answers = [release_line(order_id=order, product_id=lamp, quantity=4, key=KEY) for _ in range(2)]
    assert answers == [LineReleased(lamp, "Lantern", 4, 10, order)] * 2
    assert stock_of(lamp) == 10


def test_no_more_is_released_than_was_reserved() -> None:
    lamp, order = stocked(10), new_order()
    reserve_line(order_id=order, product_id=lamp, quantity=4, key=KEY)
    answers = [
        release_line(order_id=order, product_id=lamp, quantity=quantity, key=KEY).released_quantity
        for quantity in (3, 3, 9, 9, 1)
    ]
    assert answers == [3, 3, 1, 1, 0]
    assert stock_of(lamp) == 10


def test_a_line_reserved_again_after_its_release_gets_the_recorded_answer_and_nothing_else() -> None:
    lamp, order = stocked(10), new_order()
    first = reserve_line(order_id=order, product_id=lamp, quantity=4, key=KEY)
    release_line(order_id=order, product_id=lamp, quantity=4, key=KEY)
    assert reserve_line(order_id=order, product_id=lamp, quantity=4, key=KEY) == first
    assert stock_of(lamp) == 10


def test_a_line_released_before_it_was_reserved_cannot_be_reserved() -> None:
    lamp, order = stocked(10), new_order()
    answers = [release_line(order_id=order, product_id=lamp, quantity=4, key=KEY) for _ in range(2)]
    assert answers == [LineReleased(lamp, "Lantern", 0, 10, order)] * 2
    refused(AlreadyReleased, order, lamp, 4)
    assert stock_of(lamp) == 10


@pytest.mark.parametrize("reserved_before", [True, False])
def test_no_line_is_added_to_a_released_order(reserved_before: bool) -> None:
    lamp, rope, order = stocked(10), stocked(10), new_order()
    settle([reserve(order, (rope, 1))] if reserved_before else [])
    settle([Release(order)])
    refused(AlreadyReleased, order, lamp, 1)
    assert (stock_of(lamp), stock_of(rope)) == (10, 10)


def test_no_line_is_added_to_a_rejected_order() -> None:
    lamp, rope, order = stocked(10), stocked(10), new_order()
    settle([reserve(order, (rope, 11))])
    refused(AlreadyRejected, order, lamp, 1)
    assert stock_of(lamp) == 10


def test_a_refusal_in_a_batch_is_an_answer_among_the_others() -> None:
    lamp, orders = stocked(1), [new_order(), new_order()]
    first, second = settle([ReserveLine(order, lamp, 1, KEY) for order in orders])
    assert first == LineReserved(lamp, "Lantern", 1, 0, orders[0])
    assert isinstance(second, InsufficientStock)


def test_a_message_reserves_only_what_the_order_does_not_hold_yet() -> None:
    lamp, rope, order = stocked(10), stocked(10), new_order()
    reserve_line(order_id=order, product_id=lamp, quantity=2, key=KEY)
    request = reserve(order, (lamp, 5), (rope, 1))
    assert (
        settle([request, request])
        == [InventoryReserved(order, [StockLine(lamp, 5, 5), StockLine(rope, 1, 9)])] * 2
    )
    assert (stock_of(lamp), stock_of(rope)) == (5, 9)


def test_a_message_for_pieces_that_the_order_holds_reserves_nothing() -> None:
    lamp, order = stocked(2), new_order()
    line = reserve_line(order_id=order, product_id=lamp, quantity=2, key=KEY)
    assert settle([reserve(order, (lamp, 2))]) == [InventoryReserved(order, [StockLine(lamp, 2, 0)])]
    assert reserve_line(order_id=order, product_id=lamp, quantity=2, key=KEY) == line
    assert stock_of(lamp) == 0


def test_a_message_for_pieces_that_the_order_holds_is_granted_for_an_inactive_product() -> None:
    lamp, order = stocked(2), new_order()
    reserve_line(order_id=order, product_id=lamp, quantity=2, key=KEY)
    update_product(product_id=lamp, is_active=False)
    assert settle([reserve(order, (lamp, 2))]) == [InventoryReserved(order, [StockLine(lamp, 2, 0)])]


def test_a_message_for_fewer_pieces_than_the_order_holds_releases_the_rest() -> None:
    lamp, order = stocked(10), new_order()
    reserve_line(order_id=order, product_id=lamp, quantity=5, key=KEY)
    assert settle([reserve(order, (lamp, 3))]) == [InventoryReserved(order, [StockLine(lamp, 3, 7)])]
    assert stock_of(lamp) == 7


def test_a_rejected_message_releases_the_lines_too() -> None:
    lamp, rope, order = stocked(10), stocked(3), new_order()
    reserve_line(order_id=order, product_id=rope, quantity=1, key=KEY)
    assert settle([reserve(order, (lamp, 1), (rope, 4))]) == [
        InventoryRejected(order, [Shortage(rope, "INSUFFICIENT_STOCK", 4, 3)])
    ]
    assert (stock_of(lamp), stock_of(rope)) == (10, 3)


def test_a_message_after_the_release_of_one_of_its_lines_closes_the_order() -> None:
    lamp, rope, order = stocked(10), stocked(10), new_order()
    reserve_line(order_id=order, product_id=lamp, quantity=2, key=KEY)
    reserve_line(order_id=order, product_id=rope, quantity=1, key=KEY)
    release_line(order_id=order, product_id=lamp, quantity=2, key=KEY)
    assert settle([reserve(order, (lamp, 2), (rope, 1))]) == [
        InventoryReleased(order, [StockLine(rope, 1, 10)])
    ]
    assert (stock_of(lamp), stock_of(rope)) == (10, 10)


def test_a_line_of_a_reserved_order_is_not_reserved_twice() -> None:
    lamp, order = stocked(10), new_order()
    settle([reserve(order, (lamp, 4))])
    assert refused(ReservedByAnother, order, lamp, 4).by_message
    refused(QuantityConflict, order, lamp, 5)
    assert stock_of(lamp) == 6


def test_a_release_of_the_order_releases_what_its_lines_still_hold() -> None:
    lamp, rope, order = stocked(10), stocked(10), new_order()
    reserve_line(order_id=order, product_id=lamp, quantity=4, key=KEY)
    settle([reserve(order, (lamp, 4))])
    reserve_line(order_id=order, product_id=rope, quantity=2, key=KEY)
    release_line(order_id=order, product_id=lamp, quantity=1, key=KEY)
    assert settle([Release(order)]) == [
        InventoryReleased(order, [StockLine(lamp, 3, 10), StockLine(rope, 2, 10)])
    ]
    assert release_line(order_id=order, product_id=rope, quantity=2, key=KEY).released_quantity == 0
    assert held_of(lamp) == held_of(rope) == 0


def test_a_line_added_later_does_not_change_the_answer_to_the_order() -> None:
    lamp, rope, order = stocked(10), stocked(10), new_order()
    request = reserve(order, (lamp, 4))
    answer = settle([request])
    reserve_line(order_id=order, product_id=rope, quantity=2, key=KEY)
    assert settle([request]) == answer


def not_released(order_id: str, product_id: str, quantity: int, key: str = KEY) -> ReservedByAnother:
    """Requests a release that must be refused without a change; returns the refusal."""
    before = entry_of(order_id)
    with pytest.raises(ReservedByAnother) as caught:
        release_line(order_id=order_id, product_id=product_id, quantity=quantity, key=key)
    assert entry_of(order_id) == before
    return caught.value


@pytest.mark.parametrize("quantity", [1, 4, 9])
def test_a_key_does_not_release_what_a_message_reserved(quantity: int) -> None:
    lamp, order = stocked(10), new_order()
    settle([reserve(order, (lamp, 4))])
    assert not_released(order, lamp, quantity).by_message
    assert stock_of(lamp) == 6
    settle([Release(order)])
    not_released(order, lamp, quantity)
    assert stock_of(lamp) == 10


def test_a_key_does_not_release_what_another_key_reserved_nor_repeat_its_release() -> None:
    lamp, order = stocked(10), new_order()
    reserve_line(order_id=order, product_id=lamp, quantity=4, key=OTHER_KEY)
    assert not not_released(order, lamp, 4).by_message
    refused(ReservedByAnother, order, lamp, 4)
    release_line(order_id=order, product_id=lamp, quantity=4, key=OTHER_KEY)
    not_released(order, lamp, 4)
    assert stock_of(lamp) == 10


def test_pieces_that_a_message_took_over_unchanged_can_be_released_by_their_key_alone() -> None:
    lamp, order = stocked(10), new_order()
    reserve_line(order_id=order, product_id=lamp, quantity=4, key=KEY)
    settle([reserve(order, (lamp, 4))])
    not_released(order, lamp, 4, OTHER_KEY)
    assert release_line(order_id=order, product_id=lamp, quantity=4, key=KEY).released_quantity == 4


def test_pieces_that_a_message_changed_are_the_messages() -> None:
    lamp, order = stocked(10), new_order()
    reserve_line(order_id=order, product_id=lamp, quantity=4, key=KEY)
    settle([reserve(order, (lamp, 5))])
    assert not_released(order, lamp, 4).by_message
    assert stock_of(lamp) == 5


def test_a_line_reserved_before_keys_were_recorded_can_be_released_by_every_key() -> None:
    lamp, order = stocked(10), new_order()
    reserve_line(order_id=order, product_id=lamp, quantity=4, key=KEY)
    ledger_collection().update_one({"_id": order}, {"$unset": {f"lines.{lamp}.key": ""}})
    assert release_line(order_id=order, product_id=lamp, quantity=4, key=OTHER_KEY).released_quantity == 4
    assert stock_of(lamp) == 10


def test_the_release_of_what_nobody_reserved_gives_back_nothing_for_every_key() -> None:
    lamp, rope, order = stocked(10), stocked(10), new_order()
    settle([reserve(order, (rope, 1))])
    for key in (KEY, OTHER_KEY):
        assert release_line(order_id=order, product_id=lamp, quantity=2, key=key).released_quantity == 0
    assert (stock_of(lamp), stock_of(rope)) == (10, 9)
