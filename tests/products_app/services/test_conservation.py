"""Stock is received minus held after any sequence of requests, in any batches, with any repetitions."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from itertools import islice

from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation.refusals import Refusal
from products_app.documents.ledger import LedgerEntry, ledger_collection
from products_app.documents.movements import movement_collection
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
from tests.products_app.product_stock import KEY, OTHER_KEY, assert_conserved

STOCK = {str(ObjectId()): stock for stock in (0, 3, 8)}
COUNTED = 8
"""The stock of the product that has `received` before anything is settled."""
UNKNOWN = str(ObjectId())

orders = st.sampled_from(["first", "second", "third"])
products = st.sampled_from([*STOCK, UNKNOWN])
quantities = st.integers(min_value=1, max_value=5)
keys = st.sampled_from([KEY, OTHER_KEY])
lines = st.lists(st.builds(Line, products, quantities), min_size=1, max_size=4).map(tuple)
requests = st.one_of(
    st.builds(Reserve, orders, lines),
    st.builds(Release, orders),
    st.builds(ReserveLine, orders, products, quantities, keys),
    st.builds(ReleaseLine, orders, products, quantities, keys),
)
sequences = st.lists(requests, min_size=1, max_size=25)
sizes = st.lists(st.integers(min_value=1, max_value=8), min_size=25, max_size=25)


class StockModel:
    """A model of the collections in memory: products and ledger entries, kept between batches."""

    def __init__(self) -> None:
        self.products = {
            product_id: ProductStock(product_id, "Lantern", True, True, True, stock, stock)
            for product_id, stock in STOCK.items()
        }
        self.entries: dict[str, LedgerEntry] = {}

    def settle(self, batch: Sequence[StockRequest]) -> list[StockAnswer]:
        """Settles a batch in memory, and checks that exactly the changed documents would be written."""
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
            assert product.stock == product.stock_stored - sum(line["held"] for line in lines if line)
            assert all(0 <= line["held"] <= line["quantity"] for line in lines if line)


def in_batches(sequence: Sequence[StockRequest], sizes: Sequence[int]) -> Iterator[list[StockRequest]]:
    rest = iter(sequence)
    for size in sizes:
        if batch := list(islice(rest, size)):
            yield batch


def comparable(answers: Sequence[StockAnswer]) -> list[object]:
    return [(type(answer), str(answer)) if isinstance(answer, Refusal) else answer for answer in answers]


@given(sequences)
def test_stock_is_received_minus_held_after_every_request(
    sequence: list[StockRequest],
) -> None:
    warehouse = StockModel()
    for request in sequence:
        warehouse.settle([request])


@given(sequences)
def test_a_request_repeated_immediately_gets_the_same_answer_and_changes_nothing(
    sequence: list[StockRequest],
) -> None:
    warehouse = StockModel()
    for request in sequence:
        first = comparable(warehouse.settle([request]))
        state = deepcopy((warehouse.products, warehouse.entries))
        assert comparable(warehouse.settle([request])) == first
        assert (warehouse.products, warehouse.entries) == state


@given(sequences)
def test_granted_requests_change_nothing_when_they_are_repeated_later(sequence: list[StockRequest]) -> None:
    warehouse = StockModel()
    answers = warehouse.settle(sequence)
    granted = [
        request for request, answer in zip(sequence, answers, strict=True) if not isinstance(answer, Refusal)
    ]
    state = deepcopy((warehouse.products, warehouse.entries))
    warehouse.settle(granted)
    assert (warehouse.products, warehouse.entries) == state


@given(sequences, sizes)
def test_the_answers_do_not_depend_on_the_batches(sequence: list[StockRequest], sizes: list[int]) -> None:
    at_once, in_parts = StockModel(), StockModel()
    parts = [answer for batch in in_batches(sequence, sizes) for answer in in_parts.settle(batch)]
    assert comparable(parts) == comparable(at_once.settle(sequence))
    assert (in_parts.products, in_parts.entries) == (at_once.products, at_once.entries)


@given(sequences, sizes)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_collections_equal_the_model_in_memory(sequence: list[StockRequest], sizes: list[int]) -> None:
    ledger_collection().delete_many({})
    product_collection().delete_many({})
    movement_collection().delete_many({})
    product_collection().insert_many(
        {"_id": ObjectId(product_id), "name": "Lantern", "price": 1, "stock": stock}
        | ({"received": stock} if stock == COUNTED else {})
        for product_id, stock in STOCK.items()
    )
    warehouse = StockModel()
    for batch in in_batches(sequence, sizes):
        assert comparable(settle(batch)) == comparable(warehouse.settle(batch))
        assert_conserved()
    stored = {str(product["_id"]): product["stock"] for product in product_collection().find()}
    assert stored == {product_id: product.stock for product_id, product in warehouse.products.items()}
    entries = ledger_collection().find({}, {"updatedAt": 0})
    assert {entry["_id"]: entry for entry in entries} == warehouse.entries
