"""Concurrent batches on the same products and orders."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from tenacity import stop_after_delay

from products_app.documents.transactions import WriteConflict
from products_app.exceptions import CatalogueUnavailable, InsufficientStock, ProductHeld
from products_app.messages import InventoryRejected, InventoryReserved
from products_app.services.catalogue import delete_product, update_product
from products_app.services.stock import service
from products_app.services.stock.service import (
    LineReserved,
    Release,
    ReserveLine,
    StockAnswer,
    StockRequest,
    settle,
)
from tests.concurrency import race, run_together
from tests.products_app.lines import reserve_line
from tests.products_app.product_stock import (
    KEY,
    assert_conserved,
    entry_of,
    held_of,
    new_order,
    reserve,
    stock_of,
    stocked,
)

InsertRival = Callable[[Callable[[], object]], list[int]]


@pytest.fixture(autouse=True)
def conserved(catalogue: None) -> Iterator[None]:
    yield
    assert_conserved()


@pytest.fixture
def before_writing(monkeypatch: pytest.MonkeyPatch) -> InsertRival:
    """Runs a rival once, between the reads and the writes of the next batch; returns the list of attempts."""

    def insert(rival: Callable[[], object]) -> list[int]:
        tries: list[int] = []
        write = service.write_stock

        def write_after_rival(*args: Any) -> None:
            tries.append(1)
            if len(tries) == 1:
                rival()
            write(*args)

        monkeypatch.setattr(service, "write_stock", write_after_rival)
        return tries

    return insert


def settle_beside_another(request: StockRequest) -> StockAnswer:
    """Settles a request in a batch with another one: then the products are read before they are written."""
    answer, _ = settle([request, reserve(new_order(), (stocked(1), 1))])
    return answer


def test_the_last_piece_goes_to_the_request_that_commits_first(before_writing: InsertRival) -> None:
    lamp, mine, rivals = stocked(1), new_order(), new_order()
    tries = before_writing(lambda: settle([reserve(rivals, (lamp, 1))]))
    answer = settle_beside_another(reserve(mine, (lamp, 1)))
    assert isinstance(answer, InventoryRejected)
    assert len(tries) == 3, "mine, the rival's, mine again"
    assert held_of(lamp) == 1


def test_a_request_that_a_concurrent_batch_settled_gets_the_recorded_answer(
    before_writing: InsertRival,
) -> None:
    lamp, order = stocked(10), new_order()
    request = reserve(order, (lamp, 4))
    before_writing(lambda: settle([request]))
    assert settle_beside_another(request) == settle_beside_another(request)
    assert stock_of(lamp) == 6


def test_a_release_that_a_concurrent_batch_recorded_first_is_respected(before_writing: InsertRival) -> None:
    lamp, order = stocked(10), new_order()
    before_writing(lambda: settle([Release(order)]))
    settle_beside_another(reserve(order, (lamp, 4)))
    entry = entry_of(order)
    assert entry is not None
    assert entry["status"] == "released"
    assert stock_of(lamp) == 10


def test_two_concurrent_batches_that_only_write_the_ledger_do_not_overwrite_each_other(
    before_writing: InsertRival,
) -> None:
    lamp, order = stocked(0), new_order()
    before_writing(lambda: settle([Release(order)]))
    settle([reserve(order, (lamp, 1))])
    entry = entry_of(order)
    assert entry is not None
    assert entry["status"] == "released"


def test_stock_that_staff_set_concurrently_is_not_lost(before_writing: InsertRival) -> None:
    lamp, order = stocked(1), new_order()
    before_writing(lambda: update_product(product_id=lamp, stock=7))
    settle_beside_another(reserve(order, (lamp, 1)))
    assert stock_of(lamp) == 6


def test_a_product_that_is_deleted_concurrently_is_not_reserved(before_writing: InsertRival) -> None:
    lamp, order = stocked(1), new_order()
    before_writing(lambda: delete_product(product_id=lamp))
    answer = settle_beside_another(reserve(order, (lamp, 1)))
    assert isinstance(answer, InventoryRejected)
    assert answer.failures[0].code == "PRODUCT_NOT_FOUND"


def test_a_product_that_is_reserved_concurrently_is_not_deleted() -> None:
    lamp = stocked(1)
    settle([reserve(new_order(), (lamp, 1))])
    with pytest.raises(ProductHeld):
        delete_product(product_id=lamp)


def test_a_batch_with_a_conflict_at_every_attempt_gives_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    lamp, order = stocked(1), new_order()

    def overtaken(*_: Any) -> None:
        raise WriteConflict

    monkeypatch.setattr(service, "write_entries", overtaken)
    monkeypatch.setattr(service.settle_with_retries.retry, "stop", stop_after_delay(0.5))
    with pytest.raises(CatalogueUnavailable):
        settle([reserve(order, (lamp, 1))])
    assert stock_of(lamp) == 1
    assert entry_of(order) is None


def test_two_hundred_buyers_at_once_get_fifty_pieces() -> None:
    lamp, orders = stocked(50), [new_order() for _ in range(200)]
    buyers = [partial(reserve_line, order_id=order, product_id=lamp, quantity=1, key=KEY) for order in orders]
    outcomes = [outcome for start in range(0, 200, 50) for outcome in race(*buyers[start : start + 50])]
    assert Counter(type(outcome) for outcome in outcomes) == {LineReserved: 50, InsufficientStock: 150}
    assert (stock_of(lamp), held_of(lamp)) == (0, 50)


def test_workers_on_the_same_products_conserve_stock() -> None:
    lamp, rope = stocked(300), stocked(500)
    orders = [new_order() for _ in range(400)]
    requests = [reserve(order, (lamp, 1), (rope, 1)) for order in orders]
    releases = [Release(order) for order in orders[:100]]
    # The second worker handles the same requests in reverse order, so every request is settled twice.
    batches = [requests[start : start + 50] for start in range(0, 400, 50)] + [releases]
    run_together(
        lambda: [settle(batch) for batch in batches],
        lambda: [settle(batch) for batch in reversed(batches)],
    )
    assert held_of(lamp) == held_of(rope)
    assert stock_of(rope) - stock_of(lamp) == 200


def test_a_message_and_a_call_for_the_same_line_take_it_once(before_writing: InsertRival) -> None:
    lamp, order = stocked(10), new_order()
    before_writing(lambda: settle([ReserveLine(order, lamp, 4, KEY)]))
    answer = settle_beside_another(reserve(order, (lamp, 4)))
    assert isinstance(answer, InventoryReserved)
    assert (stock_of(lamp), held_of(lamp)) == (6, 4)
