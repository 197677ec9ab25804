"""Documents that other programs wrote: one reading of each field everywhere, and no bad one spoils others."""

from collections.abc import Callable
from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo.errors import WriteError
from structlog.types import EventDict

from products_app.documents import reading
from products_app.documents.connection import object_id
from products_app.documents.product import product_collection
from products_app.documents.reading import faults_of, read_product
from products_app.documents.unlisted import list_unlisted
from products_app.exceptions import InsufficientStock, ProductInactive
from products_app.messages import InventoryRejected, InventoryReleased, InventoryReserved
from products_app.selectors import find_products, find_products_to_order
from products_app.services.catalogue import update_product
from products_app.services.stock.service import Release, ReserveLine, settle
from tests.products_app.api.callers import PRODUCTS, error_of, user
from tests.products_app.foreign_documents import Fields, document, each_sellable, each_unsellable
from tests.products_app.product_stock import (
    KEY,
    entry_of,
    new_order,
    planted,
    reserve,
    spoil,
    stock_of,
    stocked,
)
from tests.wsgi_client import WsgiClient


def listed(client: WsgiClient, query: str = "") -> tuple[int, set[str]]:
    """Count and ids of the list of products."""
    answer = client.get(f"{PRODUCTS}?pageSize=100&{query}")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["count"] == len(body["results"])
    return body["count"], {product["id"] for product in body["results"]}


@each_sellable
def test_the_validator_accepts_what_can_be_sold(fields: Fields) -> None:
    product_collection().insert_one(document(fields))
    assert not faults_of(document(fields))


@each_unsellable
def test_the_validator_refuses_what_cannot_be_sold(fields: Fields) -> None:
    with pytest.raises(WriteError):
        product_collection().insert_one(document(fields))
    (field,) = fields
    assert list(faults_of(document(fields))) == [field]


def test_an_id_that_is_no_object_id_is_refused() -> None:
    with pytest.raises(WriteError):
        product_collection().insert_one(document({"_id": "kettle"}))


@each_sellable
def test_what_can_be_sold_is_listed_shown_ordered_and_reserved(fields: Fields) -> None:
    kettle = planted(**fields)
    assert listed(WsgiClient()) == (1, {kettle})
    shown = WsgiClient().get(f"{PRODUCTS}{kettle}/").json()
    orderable = find_products_to_order([kettle])[kettle]
    assert (shown["name"], shown["price"]) == (orderable.name, str(orderable.price))
    assert orderable.is_active
    (answer,) = settle([reserve(new_order(), (kettle, 1))])
    assert isinstance(answer, InventoryReserved)


@each_unsellable
def test_what_cannot_be_sold_is_passed_over_and_its_neighbours_are_sold(fields: Fields) -> None:
    kettle, lantern = planted(**fields), stocked(5)
    for client in (WsgiClient(), user(is_staff=True)):
        for query in ("", "ordering=price", "ordering=name", "search=kettle lantern", "isActive=true"):
            assert kettle not in listed(client, query)[1]
        assert listed(client) == (1, {lantern})
    assert error_of(WsgiClient().get(f"{PRODUCTS}{kettle}/")) == (404, "not_found", None)
    assert error_of(user(is_staff=True).get(f"{PRODUCTS}{kettle}/")) == (409, "product_unreadable", None)
    found = find_products_to_order([kettle, lantern])
    assert [found[each].is_active for each in (kettle, lantern)] == [False, True]
    rejected, alone, sold = settle(
        [
            reserve(new_order(), (lantern, 1), (kettle, 1)),
            ReserveLine(new_order(), kettle, 1, KEY),
            reserve(new_order(), (lantern, 2)),
        ]
    )
    assert isinstance(rejected, InventoryRejected)
    assert [(each.product_id, each.code) for each in rejected.failures] == [(kettle, "PRODUCT_INACTIVE")]
    assert isinstance(alone, ProductInactive)
    assert isinstance(sold, InventoryReserved)
    assert stock_of(lantern) == 3


@each_unsellable
def test_an_order_alone_for_what_cannot_be_sold_is_rejected_and_takes_nothing(fields: Fields) -> None:
    kettle = planted(**{"received": 9, "stock": 9} | fields)
    before = product_collection().find_one()
    (answer,) = settle([reserve(new_order(), (kettle, 1))])
    assert isinstance(answer, InventoryRejected)
    assert [each.code for each in answer.failures] == ["PRODUCT_INACTIVE"]
    assert repr(product_collection().find_one()) == repr(before)


def test_a_listed_product_that_becomes_unreadable_leaves_the_lists_and_returns_once_it_is_mended() -> None:
    lamp, lantern = stocked(1, name="Lamp"), stocked(5)
    spoil(lamp, price="call us")
    assert listed(WsgiClient()) == (1, {lantern})
    assert listed(WsgiClient(), "search=lamp")[0] == 0
    spoil(lamp, price=3.5)
    assert listed(WsgiClient()) == (2, {lamp, lantern})
    assert listed(WsgiClient(), "search=lamp") == (1, {lamp})


@pytest.mark.parametrize(
    ("value", "is_sold"), [(True, True), (None, True), (..., True), (False, False), (0, False)]
)
def test_whether_a_product_is_for_sale_is_read_the_same_everywhere(value: object, is_sold: bool) -> None:
    kettle = planted(isActive=value)
    assert listed(WsgiClient())[0] == is_sold
    assert listed(WsgiClient(), "isActive=true")[0] == is_sold
    assert WsgiClient().get(f"{PRODUCTS}{kettle}/").status_code == (200 if is_sold else 404)
    assert find_products_to_order([kettle])[kettle].is_active == is_sold
    (answer,) = settle([ReserveLine(new_order(), kettle, 99, KEY)])
    assert isinstance(answer, InsufficientStock if is_sold else ProductInactive)


def test_an_unreadable_product_is_logged_once(captured_log: list[EventDict]) -> None:
    reading.report_unreadable.cache_clear()
    kettle = planted(price="call us")
    for _ in range(3):
        listed(WsgiClient())
        find_products_to_order([kettle])
        settle([ReserveLine(new_order(), kettle, 1, KEY)])
    (line,) = [each for each in captured_log if each.get("product") == kettle]
    assert "call us" in line["reason"]


@pytest.mark.parametrize("fields", [{"price": "call us"}, {"name": 5}, {"isActive": "no"}])
def test_an_order_gives_back_what_it_holds_of_a_product_that_became_unreadable(fields: Fields) -> None:
    lamp, lantern, order, neighbour = stocked(5), stocked(5), new_order(), new_order()
    settle([reserve(order, (lamp, 2), (lantern, 1))])
    spoil(lamp, **fields)
    released, reserved = settle([Release(order), reserve(neighbour, (lantern, 2))])
    assert isinstance(released, InventoryReleased)
    assert isinstance(reserved, InventoryReserved)
    assert (stock_of(lamp), stock_of(lantern)) == (5, 3)


@pytest.mark.parametrize("stock", ["3", 3.5, [3], None])
def test_a_stock_that_is_no_number_is_left_alone_and_the_order_holds_nothing_more(stock: object) -> None:
    lamp, lantern, order = stocked(5), stocked(5), new_order()
    settle([reserve(order, (lamp, 2), (lantern, 1))])
    spoil(lamp, stock=stock)
    (released,) = settle([Release(order)])
    assert isinstance(released, InventoryReleased)
    assert [(each.product_id, each.quantity, each.new_stock) for each in released.items] == [
        (lamp, 2, 0),
        (lantern, 1, 5),
    ]
    entry = entry_of(order)
    assert entry is not None
    assert entry["lines"][lamp]["held"] == 0
    assert stock_of(lamp) == stock


def _raw(fields: Fields, change: Callable[[bytes], bytes]) -> RawBSONDocument:
    return RawBSONDocument(change(bson.encode(document(fields))))


def test_a_text_that_is_no_utf_8_and_a_time_after_year_9999_spoil_no_list() -> None:
    far = bson.datetime_ms.DatetimeMS(10**15)
    strange: Any = _raw({"name": "Kett#le", "createdAt": far}, lambda raw: raw.replace(b"#", b"\xff"))
    product_collection().insert_one(strange, bypass_document_validation=True)
    lantern = stocked(1)
    count, ids = listed(WsgiClient(), "ordering=createdAt")
    assert (count, lantern in ids) == (2, True)


def test_staff_mend_a_product_by_setting_its_wrong_field() -> None:
    staff, kettle = user(is_staff=True), planted(price="call us")
    url = f"{PRODUCTS}{kettle}/"
    assert error_of(staff.patch(url, {"name": "Kettle 2"})) == (409, "product_unreadable", None)
    assert staff.patch(url, {"price": "12.50"}).json()["price"] == "12.50"
    assert listed(WsgiClient()) == (1, {kettle})


def test_staff_cannot_set_the_stock_where_it_is_not_known_what_is_held() -> None:
    staff, lamp = user(is_staff=True), stocked(5)
    settle([reserve(new_order(), (lamp, 2))])
    spoil(lamp, stock="3")
    url = f"{PRODUCTS}{lamp}/"
    assert error_of(staff.patch(url, {"stock": 9})) == (409, "product_unreadable", None)
    assert error_of(staff.delete(url)) == (409, "product_unreadable", None)
    assert str(stock_of(lamp)) == "3"


def test_a_change_keeps_the_fields_that_other_programs_added() -> None:
    kettle = planted(colour="red")
    update_product(product_id=kettle, name="Pot")
    found = product_collection().find_one({"_id": object_id(kettle)})
    assert found is not None
    assert (found["colour"], read_product(found).name) == ("red", "Pot")


def test_a_product_whose_id_is_no_object_id_is_not_listed() -> None:
    planted(_id="kettle")
    planted(_id=5)
    assert listed(user(is_staff=True)) == (0, set())
    assert find_products(include_inactive=True).bounded_count(10).rows == 0


def test_megabytes_of_text_spoil_no_list() -> None:
    planted(description="lamp " * 1_000_000)
    planted(tags=[f"tag {number}" for number in range(5_000)])
    planted(description="x" * 16_777_000)
    lantern = stocked(1)
    answer = WsgiClient().get(f"{PRODUCTS}?search=lantern").json()
    assert [product["id"] for product in answer["results"]] == [lantern]


def test_many_products_that_cannot_be_read_keep_no_older_one_off_the_lists() -> None:
    older = {planted() for _ in range(2)}
    for _ in range(4):
        planted(price="call us")
    list_unlisted(at_most=3)
    with_words = product_collection().find({"searchWords": {"$exists": True}})
    assert {str(found["_id"]) for found in with_words} == older


def test_a_catalogue_that_was_spoiled_as_a_whole_has_an_empty_list() -> None:
    for _ in range(45):
        planted()
    assert listed(WsgiClient())[0] == 45
    product_collection().update_many({}, {"$set": {"price": "call us"}}, bypass_document_validation=True)
    lantern = stocked(1)
    assert WsgiClient().get(f"{PRODUCTS}?pageSize=10").json()["count"] == 1
    assert listed(WsgiClient()) == (1, {lantern})
