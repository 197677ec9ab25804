from decimal import Decimal
from typing import Any

import pytest
from bson import ObjectId

from products_app.exceptions import ProductNotFound
from products_app.selectors import (
    OrderableProduct,
    find_products,
    find_products_to_order,
    get_product,
)
from products_app.services.catalogue import create_product
from tests.products_app.product_stock import planted, stocked
from web.bounded_count import Count


@pytest.fixture
def products() -> None:
    """Four products that differ in every field of the search."""
    for name, price, stock, fields in (
        ("Brass lantern", "30.00", 5, {"category": "Light", "brand": "Acme", "tags": ["oil", "brass"]}),
        ("Lamp", "20.00", 0, {"category": "Light", "brand": "Bright", "tags": ["brass"], "low_stock_at": 1}),
        (
            "Rope",
            "10.00",
            9,
            {"category": "Gear", "brand": "Acme", "description": "For a lantern", "low_stock_at": 9},
        ),
        ("Hidden lamp", "25.00", 1, {"category": "Light", "is_active": False, "sku": "SL-77"}),
    ):
        create_product(name=name, price=Decimal(price), stock=stock, **fields)


def names(*, include_inactive: bool = False, **criteria: Any) -> list[str]:
    found = find_products(include_inactive=include_inactive, **criteria)
    products = found[0:10]
    assert found.bounded_count(10) == Count(len(products), is_exact=True)
    return [product.name for product in products]


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({}, ["Rope", "Lamp", "Brass lantern"]),
        ({"ordering": "price"}, ["Rope", "Lamp", "Brass lantern"]),
        ({"ordering": "-price"}, ["Brass lantern", "Lamp", "Rope"]),
        ({"ordering": "name"}, ["Brass lantern", "Lamp", "Rope"]),
        ({"ordering": "-stock"}, ["Rope", "Brass lantern", "Lamp"]),
        ({"ordering": "created_at"}, ["Brass lantern", "Lamp", "Rope"]),
        ({"category": "Light"}, ["Lamp", "Brass lantern"]),
        ({"category": "Light", "brand": "Acme"}, ["Brass lantern"]),
        ({"tags": ["brass"]}, ["Lamp", "Brass lantern"]),
        ({"tags": ["brass", "oil"]}, ["Brass lantern"]),
        ({"min_price": Decimal(20)}, ["Lamp", "Brass lantern"]),
        ({"max_price": Decimal("29.99")}, ["Rope", "Lamp"]),
        ({"in_stock": True}, ["Rope", "Brass lantern"]),
        ({"in_stock": False}, ["Lamp"]),
        ({"low_stock": True}, ["Lamp"]),
        ({"low_stock": False}, ["Rope", "Brass lantern"]),
        ({"low_stock": True, "ordering": "name", "search": "lamp"}, ["Lamp"]),
        ({"is_active": True}, ["Rope", "Lamp", "Brass lantern"]),
        ({"is_active": False}, []),
        ({"search": "lantern"}, ["Brass lantern", "Rope"]),
        ({"search": "lantern brass"}, ["Brass lantern"]),
        ({"search": "lantern", "ordering": "price"}, ["Rope", "Brass lantern"]),
        ({"search": 'lamp "'}, ["Lamp"]),
        ({"search": "lantern -brass"}, ["Brass lantern"]),
        ({"search": "nothing"}, []),
        ({"search": "SL-77"}, []),
    ],
)
def test_customers_find_active_products(criteria: dict[str, Any], expected: list[str]) -> None:
    assert names(**criteria) == expected


@pytest.mark.usefixtures("products")
@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({}, ["Hidden lamp", "Rope", "Lamp", "Brass lantern"]),
        ({"is_active": False}, ["Hidden lamp"]),
        ({"search": "SL-77"}, ["Hidden lamp"]),
    ],
)
def test_staff_find_all_products(criteria: dict[str, Any], expected: list[str]) -> None:
    assert names(include_inactive=True, **criteria) == expected


def test_an_inactive_product_is_not_found_unless_asked_for() -> None:
    lamp = stocked(1, is_active=False)
    assert get_product(product_id=lamp, include_inactive=True).name == "Lantern"
    with pytest.raises(ProductNotFound):
        get_product(product_id=lamp, include_inactive=False)


def test_a_product_that_another_program_inserted_has_defaults() -> None:
    product_id = planted(price=9.99, colour="red")
    product = get_product(product_id=product_id, include_inactive=False)
    assert (product.price, product.tags, product.in_stock) == (Decimal("9.99"), (), True)
    assert product.created == product.updated == ObjectId(product_id).generation_time
    assert names() == ["Kettle"]


def test_products_to_order_have_name_and_price_under_the_given_id() -> None:
    lamp, hidden = stocked(1), stocked(1, is_active=False, name="Lamp")
    found = find_products_to_order([lamp, lamp.upper(), hidden, str(ObjectId()), "no-product"])
    assert found == {
        lamp: OrderableProduct(lamp, "Lantern", Decimal("10.00"), True),
        lamp.upper(): OrderableProduct(lamp, "Lantern", Decimal("10.00"), True),
        hidden: OrderableProduct(hidden, "Lamp", Decimal("10.00"), False),
    }
