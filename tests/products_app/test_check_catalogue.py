"""`manage.py check_catalogue`: what is in the catalogue and cannot be sold, and how it is mended."""

from io import StringIO
from typing import Any

import bson
import pytest
from bson import Decimal128
from django.core.management import CommandError, call_command

from products_app.documents.connection import object_id
from products_app.documents.product import product_collection
from products_app.documents.reading import faults_of, max_price
from products_app.selectors import find_products, get_product
from products_app.services.stock.service import settle
from tests.products_app.foreign_documents import Fields, each_unsellable
from tests.products_app.product_stock import (
    assert_conserved,
    new_order,
    planted,
    reserve,
    spoil,
    stock_of,
    stocked,
    unrecord,
)


def check(*arguments: str) -> tuple[int, str]:
    """Exit code and output of the command."""
    out = StringIO()
    try:
        call_command("check_catalogue", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue()
    return 0, out.getvalue()


def document_of(product_id: str) -> dict[str, Any]:
    found = product_collection().find_one({"_id": object_id(product_id)})
    assert found is not None
    return found


def test_a_sound_catalogue_passes_and_stays_as_it_is() -> None:
    stocked(3)
    planted(price=9.99, isActive=None, category=None)
    find_products(include_inactive=True)
    before = list(product_collection().find())
    assert check() == check("--repair") == (0, "0 products cannot be sold, 0 mended.\n")
    assert list(product_collection().find()) == before


@each_unsellable
def test_what_cannot_be_sold_is_named_with_its_reason_and_mended(fields: Fields) -> None:
    kettle, lantern = planted(**fields), stocked(3)
    before = document_of(kettle)
    code, output = check()
    assert code == 1
    assert f"product {kettle}: {next(iter(fields))} must be" in output
    assert lantern not in output
    assert bson.encode(document_of(kettle)) == bson.encode(before)  # NaN is not equal to itself
    code, output = check("--repair")
    assert (code, "Mended" in output) == (0, True)
    assert not faults_of(document_of(kettle))
    assert check()[0] == 0
    assert_conserved()


@pytest.mark.parametrize(
    ("fields", "price"),
    [
        ({"price": " 12.50 "}, "12.50"),
        ({"price": 9.999}, "10.00"),
        ({"price": Decimal128("1.001")}, "1.00"),
    ],
)
def test_a_price_that_can_be_told_is_kept_and_the_product_stays_on_sale(fields: Fields, price: str) -> None:
    kettle = planted(**fields)
    check("--repair")
    product = get_product(product_id=kettle, include_inactive=False)
    assert str(product.price) == price
    assert document_of(kettle)["replacedValues"] == fields


def test_a_price_that_is_lost_is_the_highest_and_the_product_is_off_sale() -> None:
    kettle = planted(price="call us")
    check("--repair")
    product = get_product(product_id=kettle, include_inactive=True)
    assert (product.price, product.is_active) == (max_price(), False)
    assert document_of(kettle)["replacedValues"] == {"price": "call us"}


@pytest.mark.parametrize(
    ("name", "mended", "is_sold"),
    [(5, "5", True), ("a\x00b ", "ab", True), ("x" * 300, "x" * 200, True), (" ", "Product ", False)],
)
def test_a_name_is_mended(name: object, mended: str, is_sold: bool) -> None:
    kettle = planted(name=name)
    check("--repair")
    product = get_product(product_id=kettle, include_inactive=True)
    assert (product.name.removesuffix(kettle), product.is_active) == (mended, is_sold)


@pytest.mark.parametrize(("value", "is_active"), [(1, True), ("yes", True), ("no", False), ([True], False)])
def test_whether_a_product_is_for_sale_is_mended(value: object, is_active: bool) -> None:
    kettle = planted(isActive=value)
    check("--repair")
    assert get_product(product_id=kettle, include_inactive=True).is_active == is_active


@pytest.mark.parametrize("stock", ["8", 8.0, -1, None, "many"])
def test_a_lost_stock_is_what_was_received_less_what_is_held(stock: object) -> None:
    lamp = stocked(10)
    settle([reserve(new_order(), (lamp, 4))])
    spoil(lamp, stock=stock)
    check("--repair")
    assert stock_of(lamp) == 6
    assert_conserved()


def test_a_lost_number_of_received_pieces_is_the_stock_and_what_is_held() -> None:
    lamp = stocked(10)
    settle([reserve(new_order(), (lamp, 4))])
    spoil(lamp, received="ten")
    check("--repair")
    found = document_of(lamp)
    assert (found["stock"], found["received"]) == (6, 10)


@pytest.mark.parametrize(("stock", "left"), [("6", 6), (6.0, 6), ("six", 0)])
def test_where_both_numbers_are_lost_the_stock_is_what_the_text_spells(stock: object, left: int) -> None:
    lamp = stocked(10)
    settle([reserve(new_order(), (lamp, 4))])
    spoil(lamp, received="ten", stock=stock)
    unrecord(lamp)
    check("--repair")
    assert stock_of(lamp) == left
    assert_conserved()


def test_where_both_numbers_are_lost_the_movements_tell_them() -> None:
    lamp = stocked(10)
    settle([reserve(new_order(), (lamp, 4))])
    spoil(lamp, received="ten", stock="8")
    check("--repair")
    assert stock_of(lamp) == 6
    assert_conserved()


def test_an_id_that_cannot_be_changed_is_left_to_people() -> None:
    planted(_id="kettle")
    code, output = check("--repair")
    assert (code, "product kettle: _id must be an ObjectId" in output) == (1, True)


def test_bad_documents_do_not_stop_the_collections_from_being_created() -> None:
    kettle = planted(price="call us", stock="5")
    call_command("create_collections", verbosity=0)
    assert document_of(kettle)["price"] == "call us"
