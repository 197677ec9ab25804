"""Requests for whole orders, as the inventory consumer settles them."""

from collections.abc import Iterator
from functools import partial
from typing import cast

import pytest
from bson import Decimal128, ObjectId

from products_app.documents.ledger import LedgerEntry, ledger_collection
from products_app.documents.product import product_collection
from products_app.exceptions import EntryUnreadable
from products_app.messages import InventoryRejected, InventoryReleased, InventoryReserved, Shortage, StockLine
from products_app.services.stock import service
from products_app.services.stock.service import (
    STOCK_REQUESTS,
    LineReserved,
    Release,
    StockRequest,
    settle,
    settle_counting,
)
from products_app.services.stock.warm_up import warm_up
from tests.concurrency import race
from tests.products_app.lines import reserve_line
from tests.products_app.product_stock import (
    KEY,
    assert_conserved,
    entry_of,
    new_order,
    planted,
    reserve,
    stock_of,
    stocked,
)


@pytest.fixture(autouse=True)
def conserved(catalogue: None) -> Iterator[None]:
    yield
    assert_conserved()


def test_a_reserve_takes_every_line() -> None:
    lamp, rope, order = stocked(10), stocked(5), new_order()
    assert settle([reserve(order, (lamp, 4), (rope, 5))]) == [
        InventoryReserved(order, [StockLine(lamp, 4, 6), StockLine(rope, 5, 0)])
    ]
    assert (stock_of(lamp), stock_of(rope)) == (6, 0)


def test_requests_that_had_their_answer_before_are_counted() -> None:
    lamp, order = stocked(3), new_order()
    first = reserve(order, (lamp, 1))
    assert settle_counting([first]).repeated == 0
    assert settle_counting([first, reserve(new_order(), (lamp, 1)), first]).repeated == 2
    assert settle_counting([Release(order)]).repeated == 0
    assert settle_counting([Release(order)]).repeated == 1


def test_the_answers_have_the_order_of_the_requests() -> None:
    lamp, orders = stocked(3), [new_order() for _ in range(4)]
    answers = settle([reserve(order, (lamp, 1)) for order in orders])
    assert answers == [
        *(
            InventoryReserved(order, [StockLine(lamp, 1, 2 - place)])
            for place, order in enumerate(orders[:3])
        ),
        InventoryRejected(orders[3], [Shortage(lamp, "INSUFFICIENT_STOCK", 1, 0)]),
    ]
    assert stock_of(lamp) == 0


def test_one_line_without_enough_stock_rejects_the_whole_order() -> None:
    lamp, rope, order = stocked(10), stocked(5), new_order()
    assert settle([reserve(order, (lamp, 4), (rope, 6))]) == [
        InventoryRejected(order, [Shortage(rope, "INSUFFICIENT_STOCK", 6, 5)])
    ]
    assert (stock_of(lamp), stock_of(rope)) == (10, 5)


def test_a_rejection_names_every_shortage() -> None:
    deleted, lamp, rope, order = str(ObjectId()), stocked(10, is_active=False), stocked(5), new_order()
    assert settle([reserve(order, (deleted, 1), (lamp, 1), (rope, 6), ("$gt", 2))]) == [
        InventoryRejected(
            order,
            [
                Shortage(deleted, "PRODUCT_NOT_FOUND", 1, 0),
                Shortage(lamp, "PRODUCT_INACTIVE", 1, 0),
                Shortage(rope, "INSUFFICIENT_STOCK", 6, 5),
                Shortage("$gt", "PRODUCT_NOT_FOUND", 2, 0),
            ],
        )
    ]
    assert (stock_of(lamp), stock_of(rope)) == (10, 5)


@pytest.mark.parametrize(
    "product_id", ["", "x" * 24, " " * 24, "665f1f77bcf86cd79943901", "\N{FULLWIDTH DIGIT ZERO}" * 24]
)
def test_an_invalid_product_id_is_a_product_that_is_not_found(product_id: str) -> None:
    order = new_order()
    assert settle([reserve(order, (product_id, 1))]) == [
        InventoryRejected(order, [Shortage(product_id, "PRODUCT_NOT_FOUND", 1, 0)])
    ]


def test_lines_of_one_product_are_summed_for_any_spelling_of_its_id() -> None:
    lamp, first, second = stocked(5), new_order(), new_order()
    assert settle([reserve(first, (lamp, 2), (lamp.upper(), 2)), reserve(second, (lamp, 1), (lamp, 1))]) == [
        InventoryReserved(first, [StockLine(lamp, 4, 1)]),
        InventoryRejected(second, [Shortage(lamp, "INSUFFICIENT_STOCK", 2, 1)]),
    ]
    assert stock_of(lamp) == 1


@pytest.mark.parametrize("apart", [True, False])
def test_a_repeated_reserve_gets_the_recorded_answer_and_takes_nothing(apart: bool) -> None:
    lamp, order = stocked(10), new_order()
    request = reserve(order, (lamp, 4))
    answers = settle([request]) + settle([request]) if apart else settle([request, request])
    assert answers == [InventoryReserved(order, [StockLine(lamp, 4, 6)])] * 2
    assert stock_of(lamp) == 6


def test_a_rejection_remains_after_new_stock_has_arrived() -> None:
    lamp, order, other = stocked(1), new_order(), new_order()
    request = reserve(order, (lamp, 2))
    settle([reserve(other, (lamp, 1))])
    (rejection,) = settle([request])
    settle([Release(other)])
    assert settle([request]) == [rejection]
    assert stock_of(lamp) == 1


@pytest.mark.parametrize("apart", [True, False])
def test_a_release_returns_all_pieces_once(apart: bool) -> None:
    lamp, rope, order = stocked(10), stocked(5), new_order()
    settle([reserve(order, (lamp, 4), (rope, 1))])
    release = Release(order)
    answers = settle([release]) + settle([release]) if apart else settle([release, release])
    assert answers == [InventoryReleased(order, [StockLine(lamp, 4, 10), StockLine(rope, 1, 5)])] * 2
    assert (stock_of(lamp), stock_of(rope)) == (10, 5)


@pytest.mark.parametrize("apart", [True, False])
def test_a_release_before_its_reserve_takes_nothing(apart: bool) -> None:
    lamp, order = stocked(10), new_order()
    release, late = Release(order), reserve(order, (lamp, 4))
    answers = settle([release]) + settle([late]) if apart else settle([release, late])
    assert answers == [InventoryReleased(order, [])] * 2
    assert stock_of(lamp) == 10


def test_a_reserve_repeated_after_the_release_is_answered_as_released() -> None:
    lamp, order = stocked(10), new_order()
    request = reserve(order, (lamp, 4))
    _, released, again = settle([request, Release(order), request])
    assert again == released == InventoryReleased(order, [StockLine(lamp, 4, 10)])


def test_a_rejected_order_has_nothing_to_release() -> None:
    lamp, order = stocked(1), new_order()
    request = reserve(order, (lamp, 2))
    (rejected,) = settle([request])
    assert settle([Release(order), request]) == [InventoryReleased(order, []), rejected]
    assert stock_of(lamp) == 1


def test_pieces_that_one_order_releases_can_be_reserved_by_the_next() -> None:
    lamp, first, second = stocked(1), new_order(), new_order()
    settle([reserve(first, (lamp, 1))])
    assert settle([Release(first), reserve(second, (lamp, 1))]) == [
        InventoryReleased(first, [StockLine(lamp, 1, 1)]),
        InventoryReserved(second, [StockLine(lamp, 1, 0)]),
    ]
    assert stock_of(lamp) == 0


def test_pieces_of_an_inactive_product_are_released() -> None:
    lamp, order = stocked(3), new_order()
    settle([reserve(order, (lamp, 2))])
    product_collection().update_one({"_id": ObjectId(lamp)}, {"$set": {"isActive": False}})
    settle([Release(order)])
    assert stock_of(lamp) == 3


def test_a_deleted_product_does_not_stop_a_release() -> None:
    lamp, rope, order = stocked(3), stocked(3), new_order()
    settle([reserve(order, (lamp, 2), (rope, 1))])
    product_collection().delete_one({"_id": ObjectId(lamp)})
    assert settle([Release(order)]) == [
        InventoryReleased(order, [StockLine(lamp, 2, 0), StockLine(rope, 1, 3)])
    ]
    assert stock_of(rope) == 3


def test_a_product_that_another_program_inserted_can_be_reserved_and_is_counted() -> None:
    foreign, order = planted(), new_order()
    assert settle([reserve(order, (foreign, 2))]) == [InventoryReserved(order, [StockLine(foreign, 2, 3)])]
    assert product_collection().find_one({"_id": ObjectId(foreign)}, {"_id": 0}) == {
        "name": "Kettle",
        "price": Decimal128("9.99"),
        "stock": 3,
        "received": 5,
        "movements": 1,
    }


def test_an_order_id_may_be_any_text() -> None:
    lamp = stocked(3)
    for order in ("$where", "a.b", "0", "é" * 64):
        settle([reserve(order, (lamp, 1)), Release(order)])
        assert entry_of(order) is not None
    assert stock_of(lamp) == 3


def test_repeated_orders_among_new_ones_get_the_recorded_answers() -> None:
    lamp, held, rejected, new = stocked(10), new_order(), new_order(), new_order()
    again = [reserve(held, (lamp, 4)), reserve(rejected, (lamp, 9))]
    recorded = settle(again)
    first, *others, last = settle([reserve(new, (lamp, 1)), *again, Release(held)])
    assert first == InventoryReserved(new, [StockLine(lamp, 1, 5)])
    assert others == recorded
    assert last == InventoryReleased(held, [StockLine(lamp, 4, 9)])
    assert stock_of(lamp) == 9


def test_an_empty_batch_has_no_answers() -> None:
    assert settle([]) == []


def test_repeated_requests_write_nothing() -> None:
    lamp, order = stocked(10), new_order()
    request = reserve(order, (lamp, 4))
    settle([request])
    before = entry_of(order)
    settle([request])
    assert entry_of(order) == before


def test_a_large_batch_is_settled_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    lamp, rope = stocked(10), stocked(10)
    orders = [new_order() for _ in range(4)]
    requests = [reserve(order, (lamp, 1), (rope, 1)) for order in orders]
    monkeypatch.setattr(service, "MAX_TRANSACTION_LINES", 5)
    sizes = [len(part) for part in service.split_into_transactions([*requests, Release(orders[0])])]
    assert sizes == [2, 3]
    answers = settle([*requests, Release(orders[0])])
    assert answers[-1] == InventoryReleased(orders[0], [StockLine(lamp, 1, 7), StockLine(rope, 1, 7)])
    assert ledger_collection().count_documents({}) == 4


BAD_ENTRIES: list[dict[str, object]] = [
    {"status": "reserved", "lines": "none"},
    {"status": "reserved"},
    {"status": "lost", "lines": {}},
    {"status": "reserved", "lines": {"p": {"quantity": "2", "held": 2, "newStock": 1}}},
    {"status": "rejected", "lines": {}},
    {"status": "released", "lines": {}, "returned": [{"productId": 5}]},
    {},
]


@pytest.mark.parametrize("entry", BAD_ENTRIES, ids=str)
@pytest.mark.parametrize("is_release", [True, False])
def test_an_entry_that_cannot_be_read_fails_its_own_order_alone(
    entry: dict[str, object], is_release: bool
) -> None:
    lamp = stocked(5)
    ledger_collection().insert_one(cast("LedgerEntry", {"_id": "bad", **entry}))
    request: StockRequest = Release("bad") if is_release else reserve("bad", (lamp, 1))
    if entry.get("status") == "rejected" and is_release:
        assert settle([request]) == [InventoryReleased("bad", [])]
    else:
        with pytest.raises(EntryUnreadable, match="bad"):
            settle([request])
    assert STOCK_REQUESTS.call(reserve(new_order(), (lamp, 1)))
    ledger_collection().delete_one({"_id": "bad"})


def test_callers_that_share_a_batch_with_an_unreadable_entry_are_answered() -> None:
    lamp = stocked(50)
    ledger_collection().insert_one(cast("LedgerEntry", {"_id": "bad"}))
    orders = [new_order() if number else "bad" for number in range(8)]
    outcomes = race(
        *(partial(reserve_line, order_id=order, product_id=lamp, quantity=1, key=KEY) for order in orders)
    )
    assert [type(outcome) for outcome in outcomes] == [EntryUnreadable] + [LineReserved] * 7
    ledger_collection().delete_one({"_id": "bad"})


def test_warming_writes_nothing() -> None:
    product = stocked(5)
    warm_up()
    assert stock_of(product) == 5
    assert ledger_collection().count_documents({}) == 0
