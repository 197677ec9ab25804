"""Under any sequence of requests, in any batches and however often repeated, stock is conserved."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from itertools import islice

from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation.refusals import Refusal
from products_app.documents.ledger import LedgerEntry, ledger_collection
from products_app.documents.product import product_collection
from products_app.services.stock.service import (
    Line,
    Release,
    ReleaseLine,
    Reserve,
    ReserveLine,
    StockAnswer,
    StockRequest,
    settle,
)
from products_app.services.stock.settlement import ProductStock, Settlement
from tests.products_app.shelves import assert_conserved

STOCK = {str(ObjectId()): stock for stock in (0, 3, 8)}
UNKNOWN = str(ObjectId())

orders = st.sampled_from(["first", "second", "third"])
products = st.sampled_from([*STOCK, UNKNOWN])
quantities = st.integers(min_value=1, max_value=5)
lines = st.lists(st.builds(Line, products, quantities), min_size=1, max_size=4).map(tuple)
requests = st.one_of(
    st.builds(Reserve, orders, lines),
    st.builds(Release, orders),
    st.builds(ReserveLine, orders, products, quantities),
    st.builds(ReleaseLine, orders, products, quantities),
)
sequences = st.lists(requests, min_size=1, max_size=25)
sizes = st.lists(st.integers(min_value=1, max_value=8), min_size=25, max_size=25)


class Warehouse:
    """Products and entries that live on from batch to batch, as the collections do."""

    def __init__(self) -> None:
        self.products = {
            product_id: ProductStock(product_id, "Lantern", True, True, stock, stock)
            for product_id, stock in STOCK.items()
        }
        self.entries: dict[str, LedgerEntry] = {}

    def settle(self, batch: Sequence[StockRequest]) -> list[StockAnswer]:
        """Fold a batch, and check that what has changed is what would be written."""
        before = deepcopy(self.entries)
        settlement = Settlement(self.products, self.entries)
        answers = [settlement.answer(request) for request in batch]
        written = before | settlement.changed
        assert written == self.entries
        self.check()
        return answers

    def check(self) -> None:
        for product_id, product in self.products.items():
            lines = [entry["lines"].get(product_id) for entry in self.entries.values()]
            assert product.stock >= 0
            assert product.stock == product.stock_before - sum(line["held"] for line in lines if line)
            assert all(0 <= line["held"] <= line["quantity"] for line in lines if line)


def in_batches(sequence: Sequence[StockRequest], sizes: Sequence[int]) -> Iterator[list[StockRequest]]:
    rest = iter(sequence)
    for size in sizes:
        if batch := list(islice(rest, size)):
            yield batch


def comparable(answers: Sequence[StockAnswer]) -> list[object]:
    return [(type(answer), str(answer)) if isinstance(answer, Refusal) else answer for answer in answers]


@given(sequences)
def test_stock_is_what_was_received_less_what_is_held_after_every_request(
    sequence: list[StockRequest],
) -> None:
    warehouse = Warehouse()
    for request in sequence:
        warehouse.settle([request])


@given(sequences)
def test_a_request_repeated_at_once_gets_the_same_answer_and_changes_nothing(
    sequence: list[StockRequest],
) -> None:
    warehouse = Warehouse()
    for request in sequence:
        first = comparable(warehouse.settle([request]))
        state = deepcopy((warehouse.products, warehouse.entries))
        assert comparable(warehouse.settle([request])) == first
        assert (warehouse.products, warehouse.entries) == state


@given(sequences)
def test_all_that_was_granted_changes_nothing_when_it_comes_again_later(sequence: list[StockRequest]) -> None:
    warehouse = Warehouse()
    answers = warehouse.settle(sequence)
    granted = [
        request for request, answer in zip(sequence, answers, strict=True) if not isinstance(answer, Refusal)
    ]
    state = deepcopy((warehouse.products, warehouse.entries))
    warehouse.settle(granted)
    assert (warehouse.products, warehouse.entries) == state


@given(sequences, sizes)
def test_the_answers_do_not_depend_on_the_batches(sequence: list[StockRequest], sizes: list[int]) -> None:
    at_once, in_parts = Warehouse(), Warehouse()
    parts = [answer for batch in in_batches(sequence, sizes) for answer in in_parts.settle(batch)]
    assert comparable(parts) == comparable(at_once.settle(sequence))
    assert (in_parts.products, in_parts.entries) == (at_once.products, at_once.entries)


@given(sequences, sizes)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_collections_say_what_the_fold_in_memory_says(
    sequence: list[StockRequest], sizes: list[int]
) -> None:
    ledger_collection().delete_many({})
    product_collection().delete_many({})
    product_collection().insert_many(
        {"_id": ObjectId(product_id), "name": "Lantern", "stock": stock}
        for product_id, stock in STOCK.items()
    )
    warehouse = Warehouse()
    for batch in in_batches(sequence, sizes):
        assert comparable(settle(batch)) == comparable(warehouse.settle(batch))
        assert_conserved()
    stored = {str(product["_id"]): product["stock"] for product in product_collection().find()}
    assert stored == {product_id: product.stock for product_id, product in warehouse.products.items()}
    entries = ledger_collection().find({}, {"updatedAt": 0})
    assert {entry["_id"]: entry for entry in entries} == warehouse.entries
