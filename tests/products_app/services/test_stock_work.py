"""Receipts, adjustments and corrections: each is a movement, and received is the sum of its movements."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import combinations_with_replacement
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation.refusals import Refusal
from products_app.documents.ledger import ledger_collection
from products_app.documents.movements import movement_collection
from products_app.documents.product import product_collection
from products_app.documents.reading import MAX_COUNT
from products_app.documents.transactions import in_transaction
from products_app.exceptions import (
    IdempotencyKeyReused,
    InsufficientStock,
    ProductNotFound,
    ProductUnreadable,
    StockTooHigh,
)
from products_app.selectors import get_product
from products_app.services.catalogue import delete_product, update_product
from products_app.services.stock import stock_work
from products_app.services.stock.service import Release, settle
from products_app.services.stock.stock_work import adjust_stock, receive_stock
from tests.concurrency import insert_rival, race, run_together
from tests.products_app.product_stock import (
    assert_conserved,
    movements_of,
    new_order,
    planted,
    reserve,
    spoil,
    stock_of,
    stocked,
    unrecord,
)

SAM, ADA = "staff:1", "staff:2"


@pytest.fixture(autouse=True)
def conserved(catalogue: None) -> Iterator[None]:
    yield
    assert_conserved()


def receive(product_id: str, quantity: int, **more: Any) -> Any:
    return receive_stock(
        **{"product_id": product_id, "quantity": quantity, "reason": "Delivery 4711", "actor": SAM, **more}
    )


def adjust(product_id: str, quantity: int, **more: Any) -> Any:
    return adjust_stock(
        **{"product_id": product_id, "quantity": quantity, "reason": "Recount", "actor": SAM, **more}
    )


def counts(product_id: str) -> tuple[int, int | None]:
    product = get_product(product_id=product_id, include_inactive=True)
    return product.stock, product.received


def test_a_delivery_and_an_adjustment_change_stock_and_received_and_leave_what_orders_hold() -> None:
    lamp = stocked(10)
    settle([reserve(new_order(), (lamp, 4))])
    receive(lamp, 5)
    adjust(lamp, -3)
    assert counts(lamp) == (8, 12)
    initial, receipt, adjustment = movements_of(lamp)
    assert (initial["kind"], initial["quantity"], initial["stockBefore"]) == ("initial", 10, 0)
    assert (receipt["stockBefore"], receipt["stock"], receipt["received"]) == (6, 11, 15)
    assert (adjustment["kind"], adjustment["quantity"], adjustment["reason"]) == ("adjustment", -3, "Recount")
    assert (adjustment["actor"], adjustment["productName"]) == (SAM, "Lantern")


def test_a_set_stock_is_a_correction_by_the_difference_and_the_same_stock_is_none() -> None:
    lamp = stocked(10)
    settle([reserve(new_order(), (lamp, 4))])
    update_product(product_id=lamp, stock=2, name="Lamp", actor=ADA)
    update_product(product_id=lamp, stock=2, brand="Acme", actor=ADA)
    product = get_product(product_id=lamp, include_inactive=True)
    assert (product.name, product.brand, product.stock, product.received) == ("Lamp", "Acme", 2, 6)
    _, correction = movements_of(lamp)
    assert (correction["kind"], correction["quantity"], correction["actor"]) == ("correction", -4, ADA)


def test_less_than_nothing_is_refused_and_changes_nothing() -> None:
    lamp = stocked(10)
    settle([reserve(new_order(), (lamp, 7))])
    with pytest.raises(InsufficientStock) as refusal:
        adjust(lamp, -4)
    assert refusal.value.facts == {"availableStock": 3}
    assert counts(lamp) == (3, 10)
    assert len(movements_of(lamp)) == 1
    adjust(lamp, -3)
    assert counts(lamp) == (0, 7)


def test_the_same_key_moves_the_stock_once_for_each_actor() -> None:
    lamp = stocked(10)
    first = receive(lamp, 5, idempotency_key="k")
    receive(lamp, 1)
    assert receive(lamp.upper(), 5, idempotency_key="k") == first
    assert receive(lamp, 5, idempotency_key="k", actor=ADA) != first
    assert stock_of(lamp) == 21


@pytest.mark.parametrize("other", [{"quantity": 6}, {"reason": "Other"}, {"product_id": "rope"}])
def test_a_key_of_another_request_is_refused(other: dict[str, Any]) -> None:
    lamp, rope = stocked(10), stocked(10)
    receive(lamp, 5, idempotency_key="k")
    if "product_id" in other:
        other = {"product_id": rope}
    with pytest.raises(IdempotencyKeyReused):
        receive(**{"product_id": lamp, "quantity": 5, "idempotency_key": "k", **other})
    with pytest.raises(IdempotencyKeyReused):
        adjust(lamp, 5, reason="Delivery 4711", idempotency_key="k")
    assert (stock_of(lamp), stock_of(rope)) == (15, 10)


def test_the_same_key_at_the_same_time_moves_the_stock_once() -> None:
    lamp, rope = stocked(10), stocked(10)
    same = partial(receive, lamp, 5, idempotency_key="k")
    other = partial(receive, rope, 5, idempotency_key="l")
    movements = run_together(*[same] * 4, *[other] * 4)
    assert (stock_of(lamp), stock_of(rope)) == (15, 15)
    assert len({each["_id"] for each in movements}) == 2


def test_the_same_key_for_two_products_at_the_same_time_moves_one_of_them() -> None:
    lamp, rope = stocked(10), stocked(10)
    outcomes = race(*(partial(receive, each, 5, idempotency_key="k") for each in (lamp, rope) * 3))
    assert {type(each) for each in outcomes if isinstance(each, Exception)} == {IdempotencyKeyReused}
    assert stock_of(lamp) + stock_of(rope) == 25


def test_a_receipt_whose_commit_was_not_confirmed_is_found_again() -> None:
    lamp = stocked(10)
    request = stock_work.MoveRequest(
        product_id=lamp, quantity=5, kind="receipt", reason="Delivery", actor=SAM
    )
    attempt = partial(stock_work.move_once, request=request)
    assert in_transaction(attempt) == in_transaction(attempt)
    assert stock_of(lamp) == 15


@pytest.mark.parametrize("product_id", ["0" * 24, "no-product"])
def test_an_unknown_product_has_no_stock(product_id: str) -> None:
    for move in (receive, adjust):
        with pytest.raises(ProductNotFound):
            move(product_id, 1)


def test_a_product_whose_counts_cannot_be_read_is_refused(catalogue: None) -> None:
    kettle = stocked(5)
    for fields in ({"stock": "five"}, {"stock": 5, "received": 4.5}):
        spoil(kettle, **fields)
        with pytest.raises(ProductUnreadable):
            receive(kettle, 1)
    spoil(kettle, stock=5, received=5)
    assert len(movements_of(kettle)) == 1


def test_more_than_can_be_counted_is_refused() -> None:
    lamp = planted(stock=MAX_COUNT - 1)
    receive(lamp, 1)
    with pytest.raises(StockTooHigh):
        receive(lamp, 1)
    assert stock_of(lamp) == MAX_COUNT


def test_a_product_of_another_program_is_counted_by_what_first_moves_or_takes_it() -> None:
    lamp, rope = planted(stock=4), planted(stock=7)
    receive(lamp, 2)
    settle([reserve(new_order(), (rope, 3)), reserve(new_order(), (rope, 1))])
    kinds = [[(each["kind"], each["quantity"]) for each in movements_of(product)] for product in (lamp, rope)]
    assert kinds == [[("initial", 4), ("receipt", 2)], [("initial", 7)]]
    assert (counts(lamp), counts(rope)) == ((6, 6), (3, 7))


def test_what_was_received_before_movements_were_recorded_is_the_first_of_them() -> None:
    lamp = stocked(10)
    settle([reserve(new_order(), (lamp, 4))])
    unrecord(lamp)
    adjust(lamp, -1)
    initial, adjustment = movements_of(lamp)
    assert (initial["quantity"], initial["stockBefore"], initial["stock"]) == (10, 6, 6)
    assert (adjustment["number"], adjustment["received"]) == (2, 9)


def test_a_product_that_was_deleted_and_inserted_again_goes_on_with_its_movements() -> None:
    lamp = stocked(10)
    document = product_collection().find_one({"_id": ObjectId(lamp)})
    assert document
    delete_product(product_id=lamp)
    for field in ("movements", "received"):
        del document[field]
    product_collection().insert_one(document | {"stock": 3})
    settle([reserve(new_order(), (lamp, 1))])
    assert [each["quantity"] for each in movements_of(lamp)] == [10, -7]
    assert counts(lamp) == (2, 3)


def test_a_sale_between_reading_and_writing_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    lamp = stocked(10)
    sell = partial(settle, [reserve(new_order(), (lamp, 8))])
    insert_rival(monkeypatch, stock_work, "move_stock", sell)
    with pytest.raises(InsufficientStock):
        adjust(lamp, -3)
    insert_rival(monkeypatch, stock_work, "move_stock", partial(receive, lamp, 1))
    assert receive(lamp, 2)["stock"] == 5


Job = Callable[[str], object]
EFFECTS: dict[str, tuple[Job, int, int]] = {
    "receive": (lambda product: receive(product, 3), 3, 3),
    "adjust": (lambda product: adjust(product, -2), -2, -2),
    "reserve": (lambda product: settle([reserve(new_order(), (product, 1))]), -1, 0),
    "edit": (lambda product: update_product(product_id=product, brand="Acme"), 0, 0),
}
"""A job, and by how much it changes stock and received."""


@pytest.mark.parametrize("pair", [*combinations_with_replacement(EFFECTS, 2)], ids="-".join)
def test_neither_of_two_at_the_same_time_is_lost(pair: tuple[str, str]) -> None:
    lamp, times = stocked(100), 4
    jobs = [EFFECTS[name] for name in pair]
    run_together(*(partial(job, lamp) for job, _, _ in jobs for _ in range(times)))
    stock, received = sum(stock for _, stock, _ in jobs), sum(received for _, _, received in jobs)
    assert counts(lamp) == (100 + times * stock, 100 + times * received)
    if "edit" in pair:
        assert get_product(product_id=lamp, include_inactive=True).brand == "Acme"


@pytest.mark.parametrize("name", EFFECTS)
def test_a_stock_that_is_set_beside_another_change_keeps_what_orders_hold(name: str) -> None:
    lamp = stocked(100)
    run_together(
        *(partial(EFFECTS[name][0], lamp) for _ in range(4)),
        *(partial(update_product, product_id=lamp, stock=stock) for stock in (50, 60)),
    )
    corrections = [each for each in movements_of(lamp) if each["kind"] == "correction"]
    assert [each["stock"] in {50, 60} for each in corrections] == [True] * len(corrections)


PRODUCTS: dict[str, dict[str, int]] = {str(ObjectId()): {"received": 8}, str(ObjectId()): {}}
"""Two products that another program wrote: one was counted before there were movements, one never."""
orders = st.sampled_from(["first", "second"])
products = st.sampled_from([*PRODUCTS])
pieces = st.integers(min_value=1, max_value=6)


def reserve_pieces(order: str, product: str, quantity: int) -> None:
    settle([reserve(order, (product, quantity))])


def set_stock(product: str, quantity: int) -> None:
    update_product(product_id=product, stock=quantity)


changes = st.one_of(
    st.builds(partial, st.just(receive), products, pieces),
    st.builds(partial, st.just(receive), products, pieces, idempotency_key=orders),
    st.builds(partial, st.just(adjust), products, pieces.map(lambda quantity: -quantity)),
    st.builds(partial, st.just(set_stock), products, pieces),
    st.builds(partial, st.just(reserve_pieces), orders, products, pieces),
    st.builds(lambda order: partial(settle, [Release(order)]), orders),
    st.builds(partial, st.just(unrecord), products),
)


@given(st.lists(changes, min_size=1, max_size=12))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_received_is_the_sum_of_movements_after_any_sequence(sequence: list[Callable[[], object]]) -> None:
    for collection in (ledger_collection(), product_collection(), movement_collection()):
        collection.delete_many({})
    document = {"name": "Lantern", "price": 1, "stock": 8}
    product_collection().insert_many(
        document | counts | {"_id": ObjectId(product)} for product, counts in PRODUCTS.items()
    )
    for change in sequence:
        with suppress(Refusal):
            change()
        assert_conserved()
