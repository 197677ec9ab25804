"""The stock watch on a real MongoDB: each fall is told once, whoever caused it and however the watch ends."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from bson import Timestamp
from mongoengine import get_db

from products_app.documents.connection import object_id
from products_app.documents.product import PRODUCTS, product_collection
from products_app.documents.stock_watch import WATCH, WATCHED
from products_app.services.catalogue import create_product, delete_product, update_product
from products_app.services.stock.service import Release, settle
from products_app.services.stock_watch import changes as change_reading
from products_app.services.stock_watch.watch import Fall, StockWatch
from tests.products_app.lines import reserve_line
from tests.products_app.product_stock import KEY, new_order, reserve, spoil

LOW = 5


class Listener:
    """Takes falls as Kafka would, and fails when it is told to."""

    def __init__(self) -> None:
        self.told: list[Fall] = []
        self.fails_before = self.fails_after = False

    def __call__(self, falls: Sequence[Fall]) -> None:
        if self.fails_before:
            raise ConnectionError("nothing is told")
        self.told += falls
        if self.fails_after:
            raise ConnectionError("told, but the watch does not learn it")

    def stocks(self, product: str) -> list[int]:
        """The stocks that were told of a product, each fall once."""
        return [
            fall.stock
            for fall in {fall.id: fall for fall in self.told}.values()
            if fall.product_id == product
        ]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_reading, "WAIT_MS", 20)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def watch(listener: Listener) -> Iterator[StockWatch]:
    """A watch that has begun on an empty catalogue."""
    with_it = StockWatch(listener)
    catch_up(with_it, listener)
    yield with_it
    with_it.end()


def catch_up(watch: StockWatch, listener: Listener) -> None:
    """Lets the watch read all that was written up to now: the fall of a product made last is told."""
    marker = str(create_product(name="Marker", price=Decimal(1), stock=0, low_stock_at=1).id)
    for _ in range(500):
        watch.take_turn()
        if listener.stocks(marker):
            delete_product(product_id=marker)
            return
    raise AssertionError("the watch has not told the last fall")


def product(stock: int = 10, low_stock_at: int = LOW, **fields: Any) -> str:
    made = create_product(name="Lantern", price=Decimal(1), stock=stock, low_stock_at=low_stock_at, **fields)
    return str(made.id)


def order(lamp: str) -> None:
    settle([reserve(new_order(), (lamp, 6))])


def line_over_http(lamp: str) -> None:
    reserve_line(order_id=new_order(), product_id=lamp, quantity=6, key=KEY)


def staff(lamp: str) -> None:
    update_product(product_id=lamp, stock=4)


def another_program(lamp: str) -> None:
    product_collection().update_one({"_id": object_id(lamp)}, {"$inc": {"stock": -6}})


def another_program_that_replaces(lamp: str) -> None:
    document = product_collection().find_one({"_id": object_id(lamp)})
    assert document
    product_collection().replace_one({"_id": object_id(lamp)}, document | {"stock": 4})


@pytest.mark.parametrize(
    "lower", [order, line_over_http, staff, another_program, another_program_that_replaces]
)
def test_a_fall_is_told_whoever_lowered_the_stock(
    watch: StockWatch, listener: Listener, lower: Callable[[str], None]
) -> None:
    lamp = product()
    lower(lamp)
    catch_up(watch, listener)
    [fall] = [each for each in listener.told if each.product_id == lamp]
    assert (fall.product_name, fall.stock, fall.low_stock_at) == ("Lantern", 4, LOW)


def test_a_product_falls_again_only_after_it_had_as_many_as_its_bound(
    watch: StockWatch, listener: Listener
) -> None:
    lamp = product()
    for stock in (5, 4, 3, 0, 4, 5, 2, 9, 1):
        update_product(product_id=lamp, stock=stock)
    catch_up(watch, listener)
    assert listener.stocks(lamp) == [4, 2, 1]


def test_stock_that_orders_give_back_lets_a_product_fall_again(watch: StockWatch, listener: Listener) -> None:
    lamp, first = product(), new_order()
    settle([reserve(first, (lamp, 6))])
    settle([Release(first)])
    order(lamp)
    # Inside one batch nobody saw the stock in between.
    second = new_order()
    settle([reserve(second, (lamp, 1)), Release(second)])
    catch_up(watch, listener)
    assert listener.stocks(lamp) == [4, 4]


def test_a_changed_bound_counts_as_it_stood_with_the_stock_of_that_moment(
    watch: StockWatch, listener: Listener
) -> None:
    lamp = product(low_stock_at=0)
    update_product(product_id=lamp, stock=3)
    update_product(product_id=lamp, low_stock_at=LOW)  # 3 of 5: a fall
    update_product(product_id=lamp, stock=8)
    update_product(product_id=lamp, low_stock_at=9)  # 8 of 9: a fall
    update_product(product_id=lamp, low_stock_at=8)
    update_product(product_id=lamp, stock=7)  # a fall
    update_product(product_id=lamp, low_stock_at=0, stock=0)
    update_product(product_id=lamp, stock=1)
    catch_up(watch, listener)
    assert listener.stocks(lamp) == [3, 8, 7]
    assert [fall.low_stock_at for fall in listener.told if fall.product_id == lamp] == [LOW, 9, 8]


def test_a_new_product_below_its_bound_is_told_and_so_is_one_that_is_not_for_sale(
    watch: StockWatch, listener: Listener
) -> None:
    lamp, hidden = product(stock=4), product(is_active=False)
    update_product(product_id=hidden, stock=4)
    catch_up(watch, listener)
    assert (listener.stocks(lamp), listener.stocks(hidden)) == ([4], [4])


def test_a_deleted_product_is_forgotten(watch: StockWatch, listener: Listener) -> None:
    lamp = product(stock=4)
    delete_product(product_id=lamp)
    catch_up(watch, listener)
    assert listener.stocks(lamp) == [4]
    assert get_db()[WATCHED].count_documents({"_id": object_id(lamp)}) == 0
    product_collection().insert_one(
        {"_id": object_id(lamp), "name": "New", "price": 1, "stock": 2, "lowStockAt": 3}
    )
    catch_up(watch, listener)
    assert listener.stocks(lamp) == [4, 2]


def test_what_cannot_be_read_tells_nothing_and_keeps_nobody_up(watch: StockWatch, listener: Listener) -> None:
    lamp, odd = product(), product()
    spoil(odd, stock="two")
    spoil(odd, stock=4)
    spoil(odd, stock="two", lowStockAt=7)
    spoil(odd, lowStockAt="seven")
    spoil(odd, name=5, lowStockAt=LOW)
    product_collection().insert_one(
        {"_id": "mine", "stock": 1, "lowStockAt": 2}, bypass_document_validation=True
    )
    product_collection().delete_one({"_id": "mine"})
    order(lamp)
    catch_up(watch, listener)
    assert (listener.stocks(odd), listener.stocks(lamp)) == ([4], [4])


@pytest.mark.parametrize("end", ["before", "after"])
def test_a_fall_over_which_a_watch_ended_is_told_by_the_next_one_with_the_same_id(
    watch: StockWatch, listener: Listener, end: str
) -> None:
    lamp = product()
    order(lamp)
    setattr(listener, f"fails_{end}", True)
    with pytest.raises(ConnectionError):
        catch_up(watch, listener)
    watch.end()
    update_product(product_id=lamp, stock=1)
    setattr(listener, f"fails_{end}", False)
    catch_up(StockWatch(listener), listener)
    told = [fall for fall in listener.told if fall.product_id == lamp]
    assert [fall.stock for fall in told] == [4] * (1 if end == "before" else 2)
    assert len({(fall.id, fall.time) for fall in told}) == 1


def test_a_watch_that_starts_goes_on_from_the_stored_position(watch: StockWatch, listener: Listener) -> None:
    lamp = product()
    catch_up(watch, listener)
    watch.end()
    for stock in (4, 6, 3):
        update_product(product_id=lamp, stock=stock)
    catch_up(StockWatch(listener), listener)
    assert listener.stocks(lamp) == [4, 3]


LOST = [
    pytest.param({"_data": "82000000010000000129296E04"}, id="a token of long ago"),
    pytest.param({"_data": "nonsense"}, id="a token that is none"),
    pytest.param(None, id="no position"),
]


@pytest.mark.parametrize("position", LOST)
def test_without_the_changes_all_products_are_compared_and_what_has_fallen_is_told(
    watch: StockWatch, listener: Listener, position: Any
) -> None:
    told, fallen, risen, gone = product(stock=4), product(), product(stock=4), product(stock=4)
    catch_up(watch, listener)
    watch.end()
    for lamp, stock in ((told, 3), (fallen, 2), (risen, 7)):
        update_product(product_id=lamp, stock=stock)
    delete_product(product_id=gone)
    new = product(stock=1)
    get_db()[WATCH].update_one({}, {"$set": {"position": position}})
    successor = StockWatch(listener)
    catch_up(successor, listener)
    update_product(product_id=risen, stock=4)
    catch_up(successor, listener)
    stocks = [listener.stocks(lamp) for lamp in (told, fallen, risen, gone, new)]
    assert stocks == [[4], [2], [4, 4], [4], [1]]


def test_a_dropped_collection_is_survived(watch: StockWatch, listener: Listener) -> None:
    lamp = product(stock=4)
    catch_up(watch, listener)
    get_db()[PRODUCTS].rename("other", dropTarget=True)
    get_db()["other"].rename(PRODUCTS)
    catch_up(watch, listener)
    update_product(product_id=lamp, stock=9)
    order(lamp)
    catch_up(watch, listener)
    assert listener.stocks(lamp) == [4, 3]


def test_one_watch_leads_and_another_takes_over_when_its_lease_has_ended(listener: Listener) -> None:
    first, second = StockWatch(listener), StockWatch(listener)
    catch_up(first, listener)
    assert second.take_turn() > 0
    with pytest.raises(AssertionError):
        catch_up(second, listener)
    get_db()[WATCH].update_one({}, {"$set": {"until": Timestamp(0, 0).as_datetime()}})
    lamp = product(stock=4)
    catch_up(second, listener)
    next_lamp = product(stock=4)
    first.take_turn()
    catch_up(second, listener)
    assert (listener.stocks(lamp), listener.stocks(next_lamp)) == ([4], [4])
    assert len({fall.id for fall in listener.told}) == len(listener.told)
    second.end()
    catch_up(first, listener)
    first.end()
