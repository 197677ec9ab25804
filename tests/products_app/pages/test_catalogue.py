"""The front door and the page of a product, as a browser without JavaScript gets them."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from django.conf import settings as configured
from django.test import Client

from products_app.documents.product import product_collection
from products_app.documents.reading import Product
from products_app.pages.drawings import DRAWINGS, picture_of
from products_app.selectors import CATEGORIES, find_categories
from products_app.services.catalogue import create_product, update_product

pytestmark = pytest.mark.usefixtures("clean_catalogue")


def page(path: str, status: int = 200, **headers: str) -> str:
    answer = Client().get(path, headers=headers)
    assert answer.status_code == status
    return answer.content.decode()


def put(name: str, **fields: Any) -> Product:
    given: Any = {"name": name, "price": Decimal(10), "stock": 20} | fields
    return create_product(**given)


def test_the_front_door_shows_what_is_for_sale_without_asking_postgresql() -> None:
    put("Lantern", price=Decimal("1234.50"))
    put("Hidden", is_active=False)
    shown = page("/")
    assert "Lantern" in shown
    assert "1,234.50&nbsp;<small>USD</small>" in shown
    assert "Hidden" not in shown
    assert "1 product<" in shown


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("search=lant", {"Lantern"}),
        ("category=Kitchen", {"Mug", "Pan"}),
        ("category=Kitchen&in_stock=on", {"Pan"}),
        ("min_price=15&max_price=25", {"Pan"}),
        ("search=nothing", set()),
    ],
)
def test_the_shop_is_narrowed_by_its_filters(query: str, names: set[str]) -> None:
    put("Lantern", category="Lighting")
    put("Mug", category="Kitchen", stock=0)
    put("Pan", category="Kitchen", price=Decimal(20))
    shown = page(f"/?{query}")
    assert {name for name in ("Lantern", "Mug", "Pan") if f">{name}</a>" in shown} == names
    assert ("Nothing matches" in shown) is (not names)


@pytest.mark.parametrize("query", ["min_price=cheap", "max_price=1.234", "min_price=-1", "ordering=luck"])
def test_a_filter_that_cannot_be_read_is_told_beside_its_field(query: str) -> None:
    put("Lantern")
    shown = page(f"/?{query}", 400)
    assert '<ul class="field__errors"' in shown
    assert "Lantern" in shown


def test_a_page_beyond_the_last_is_not_there() -> None:
    page("/?page=7", 404)
    page("/?page=x", 404)


def test_pages_of_products_keep_the_filters() -> None:
    for number in range(30):
        put(f"Lantern {number}")
    shown = page("/?search=lantern")
    assert 'href="?search=lantern&amp;page=2"' in shown
    assert shown.count('class="product-card"') == 24


@pytest.mark.parametrize(
    ("stock", "low_stock_at", "words"),
    [
        (0, 0, "Sold out"),
        (3, 0, "Only 3 left"),
        (1, 0, "Only 1 left"),
        (9, 10, "Only 9 left"),
        (9, 0, "In stock"),
    ],
)
def test_the_state_of_the_stock_is_told(stock: int, low_stock_at: int, words: str) -> None:
    product = put("Lantern", stock=stock, low_stock_at=low_stock_at)
    assert words in page("/")
    assert words in page(f"/products/{product.id}/")


def test_a_product_that_is_not_for_sale_has_no_page() -> None:
    product = put("Lantern")
    page(f"/products/{product.id}/")
    update_product(product_id=product.id, is_active=False)
    for path in (product.id, str(ObjectId()), "lantern", "%00"):
        assert "There is nothing at this address" in page(f"/products/{path}/", 404)


def test_what_another_program_wrote_is_shown_as_text() -> None:
    product = put("Lantern")
    changes = {"name": "<script>x</script>", "imageUrl": "//evil.example/x.png", "tags": ["<b>"]}
    product_collection().update_one({"_id": ObjectId(product.id)}, {"$set": changes})
    for path in ("/", f"/products/{product.id}/"):
        shown = page(path)
        assert "<script>x" not in shown
        assert "evil.example" not in shown


def test_newcomers_are_told_where_everything_is_in_the_demo_alone(settings: Any) -> None:
    assert "stockbridge-demo" not in page("/")
    settings.DEMO, settings.INBOX_URL = True, "http://127.0.0.1:8025"
    shown = page("/")
    for place in ("/admin/", "/api/docs/", "/metrics", "http://127.0.0.1:8025", "stockbridge-demo"):
        assert place in shown


def test_the_shop_speaks_german() -> None:
    assert '<html lang="de">' in page("/", accept_language="de")


def test_each_drawing_is_in_the_file_and_shows_the_products_with_its_tag() -> None:
    drawings = Path(configured.BASE_DIR, "products_app/static/products_app/drawings.svg").read_text()
    assert [name for name in DRAWINGS if f'<symbol id="{name}"' not in drawings] == []
    assert picture_of(put("A", tags=["red", "Mug"], category="Home")).drawing == "mug"
    assert picture_of(put("B", category="Home")).drawing == "home"
    assert picture_of(put("C")).drawing == "parcel"
    assert picture_of(put("D", image_url="/static/d.png")).image == "/static/d.png"
    assert picture_of(put("E", image_url="https://evil.example/e.png")).image == ""
    assert picture_of(put("F", image_url="/\\evil.example/f.png")).image == "", "another host to a browser"


def test_the_categories_are_found_without_reading_the_products() -> None:
    for number in range(50):
        put(f"Lantern {number}", category=f"Category {number % 3}")
    assert find_categories() == ["Category 0", "Category 1", "Category 2"]
    assert find_categories(2) == ["Category 0", "Category 1"]
    command = {"aggregate": "products", "pipeline": CATEGORIES, "cursor": {}}
    plan = product_collection().database.command("explain", command, verbosity="queryPlanner")
    assert "DISTINCT_SCAN" in str(plan)
