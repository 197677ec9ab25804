from decimal import Decimal

import pytest

from products_app.documents.product import product_collection
from products_app.exceptions import ProductHeld, ProductNotFound, SkuTaken
from products_app.selectors import get_product
from products_app.services.catalogue import create_product, delete_product, update_product
from products_app.services.stock.service import Release, settle
from tests.products_app.product_stock import (
    assert_conserved,
    new_order,
    planted,
    reserve,
    stock_of,
    stocked,
)


def test_a_product_is_stored_with_the_given_values() -> None:
    created = create_product(
        name="Lantern",
        description="Burns oil",
        price=Decimal("19.90"),
        category="Light",
        stock=7,
        low_stock_at=3,
        image_url="/lantern.png",
        sku="L-1",
        brand="Acme",
        tags=["oil", "brass"],
        is_active=False,
    )
    assert get_product(product_id=created.id, include_inactive=True) == created


def test_a_sku_belongs_to_one_product() -> None:
    create_product(name="Lantern", price=Decimal(1), sku="L-1")
    with pytest.raises(SkuTaken):
        create_product(name="Lamp", price=Decimal(1), sku="L-1")
    assert product_collection().count_documents({}) == 1


def test_any_number_of_products_may_have_no_sku() -> None:
    for _ in range(2):
        create_product(name="Lantern", price=Decimal(1))
    planted()
    planted(sku=None)


def test_a_sku_cannot_be_changed_to_one_that_is_taken() -> None:
    create_product(name="Lantern", price=Decimal(1), sku="L-1")
    other = create_product(name="Lamp", price=Decimal(1), sku="L-2")
    with pytest.raises(SkuTaken):
        update_product(product_id=str(other.id), sku="L-1")
    assert get_product(product_id=str(other.id), include_inactive=True).sku == "L-2"


def test_setting_the_stock_leaves_the_held_pieces() -> None:
    lamp, order = stocked(10), new_order()
    settle([reserve(order, (lamp, 4))])
    product = update_product(product_id=lamp, stock=100)
    assert (product.stock, product.received) == (100, 104)
    settle([Release(order)])
    assert stock_of(lamp) == 104
    assert_conserved()


def test_setting_the_stock_of_an_uncounted_product_counts_it() -> None:
    product = update_product(product_id=planted(), stock=3)
    assert (product.stock, product.received) == (3, 3)


def test_text_that_looks_like_an_expression_is_stored_as_text() -> None:
    lamp = stocked(3)
    product = update_product(product_id=lamp, name="$stock", tags=["$name"])
    assert (product.name, product.tags) == ("$stock", ("$name",))


def test_fields_that_are_not_given_stay() -> None:
    lamp = stocked(3)
    before = get_product(product_id=lamp, include_inactive=True)
    after = update_product(product_id=lamp, price=Decimal("12.50"))
    assert (after.name, after.stock, after.received, after.price) == ("Lantern", 3, 3, Decimal("12.50"))
    assert after.created == before.created
    assert after.updated >= before.updated


def test_a_product_that_orders_hold_is_not_deleted() -> None:
    lamp, order = stocked(3), new_order()
    settle([reserve(order, (lamp, 3))])
    with pytest.raises(ProductHeld):
        delete_product(product_id=lamp)
    assert stock_of(lamp) == 0
    settle([Release(order)])
    delete_product(product_id=lamp)
    assert product_collection().count_documents({}) == 0


def test_an_uncounted_product_is_deleted() -> None:
    delete_product(product_id=planted())
    assert product_collection().count_documents({}) == 0


@pytest.mark.parametrize("product_id", ["0" * 24, "no-product"])
def test_an_unknown_product_is_neither_changed_nor_deleted(product_id: str) -> None:
    with pytest.raises(ProductNotFound):
        update_product(product_id=product_id, stock=1)
    with pytest.raises(ProductNotFound):
        delete_product(product_id=product_id)
