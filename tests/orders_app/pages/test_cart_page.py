"""The cart: what is in it costs what it costs now, survives the sign-in, and says what has gone."""

import pytest
from bson import Decimal128, ObjectId
from django.contrib.auth.models import User
from django.test import Client

from tests.orders_app.ordering import Catalogue
from tests.orders_app.pages.browsing import words_of
from tests.orders_app.pages.shopping import change_product, put_into_cart

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_passwords")]

PASSWORD = "kettle-orchard-9"


def quantities(browser: Client) -> dict[str, int]:
    content: dict[str, dict[str, int]] = browser.session.get("cart", {"quantities": {}})
    return content["quantities"]


def test_an_empty_cart_says_so() -> None:
    page = Client().get("/cart/")
    assert page.status_code == 200
    assert "Your cart is empty" in words_of(page)


def test_what_is_put_into_the_cart_is_shown_with_its_sum(lantern: str) -> None:
    browser = Client()
    page = put_into_cart(browser, lantern, 2)
    assert page.redirect_chain == [("/cart/", 302)]
    assert "2 pieces of Lantern are in your cart." in words_of(page)
    assert "Total 20.00 USD" in words_of(page)
    assert "20.00 USD" in words_of(put_into_cart(browser, lantern.upper(), 0))
    assert "Total 30.00 USD" in words_of(put_into_cart(browser, lantern))
    assert 'class="count">3' in browser.get("/cart/").content.decode()


def test_a_form_that_is_sent_twice_adds_once(lantern: str) -> None:
    browser = Client()
    for _ in range(2):
        put_into_cart(browser, lantern, 2, form_key="a")
    assert quantities(browser) == {lantern: 2}
    put_into_cart(browser, lantern, 2, form_key="b")
    assert quantities(browser) == {lantern: 4}


@pytest.mark.parametrize("quantity", ["0", "-1", "1.5", "", "many", "10000", "9" * 400])
def test_a_quantity_that_is_none_is_told_and_changes_nothing(quantity: str, lantern: str) -> None:
    browser = Client()
    page = put_into_cart(browser, lantern, quantity)
    assert 'class="notice tone-bad"' in page.content.decode()
    assert quantities(browser) == {}


def test_what_cannot_be_bought_is_told_and_not_put_into_the_cart(catalogue: Catalogue) -> None:
    browser = Client()
    sold_out = catalogue.plant(name="Kettle", stock=0)
    retired = catalogue.plant(name="Orchard", stock=3, isActive=False)
    assert "Kettle is sold out." in words_of(put_into_cart(browser, sold_out))
    for product_id in (retired, str(ObjectId()), "nonsense"):
        assert "This product is not sold any more." in words_of(put_into_cart(browser, product_id))
    assert quantities(browser) == {}


def test_quantities_are_changed_and_lines_taken_out(lantern: str) -> None:
    browser = Client()
    put_into_cart(browser, lantern, 2)
    path = f"/cart/lines/{lantern}/"
    assert browser.post(path, {"quantity": "4"})["Location"] == f"/cart/#line-{lantern}"
    browser.post(path, {"quantity": "4", "step": "1"})
    assert quantities(browser) == {lantern: 5}
    wrong = browser.post(path, {"quantity": "x"})
    assert wrong.status_code == 422
    assert "Enter a whole number." in words_of(wrong)
    browser.post(path, {"quantity": "x", "remove": "yes"})
    assert quantities(browser) == {}
    browser.post(path, {"quantity": "4"})
    assert quantities(browser) == {}, "what is not in the cart is not put there"


def test_one_piece_less_than_one_takes_the_line_out(lantern: str) -> None:
    browser = Client()
    put_into_cart(browser, lantern)
    browser.post(f"/cart/lines/{lantern}/", {"quantity": "1", "step": "-1"})
    assert quantities(browser) == {}


def test_prices_and_stock_are_as_of_now(lantern: str, catalogue: Catalogue) -> None:
    browser = Client()
    put_into_cart(browser, lantern, 2)
    change_product(catalogue, lantern, price=Decimal128("12.50"), stock=1)
    page = words_of(browser.get("/cart/"))
    assert "it was 10.00 USD when you put this into the cart" in page
    assert "Total 25.00 USD" in page
    assert "Only 1 piece is left." in page
    assert "Go to the checkout" not in page
    change_product(catalogue, lantern, stock=0)
    assert "This has been sold out meanwhile." in words_of(browser.get("/cart/"))
    change_product(catalogue, lantern, isActive=False)
    gone = words_of(browser.get("/cart/"))
    assert "This is not sold any more." in gone
    assert "Total 0.00 USD" in gone
    catalogue.products.delete_one({"_id": ObjectId(lantern)})
    assert "A product that is not sold any more" in words_of(browser.get("/cart/"))


def test_the_cart_survives_the_sign_in_and_ends_with_the_sign_out(lantern: str) -> None:
    User.objects.create_user("walter", password=PASSWORD)
    browser = Client()
    put_into_cart(browser, lantern, 2)
    browser.post("/login/", {"username": "walter", "password": PASSWORD})
    assert quantities(browser) == {lantern: 2}
    browser.post("/logout/")
    assert quantities(browser) == {}


def test_a_cart_has_as_many_products_as_an_order(lantern: str) -> None:
    browser = Client()
    put_into_cart(browser, lantern)
    session = browser.session
    session["cart"]["quantities"] = {str(ObjectId()): 1 for _ in range(100)}
    session.save()
    assert "at most 100 different products" in words_of(put_into_cart(browser, lantern))
    assert lantern not in quantities(browser)


def test_forms_of_the_cart_need_the_token_of_the_page(lantern: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    assert browser.post("/cart/", {"product_id": lantern, "quantity": "1"}).status_code == 403
    assert browser.post(f"/cart/lines/{lantern}/", {"quantity": "1"}).status_code == 403


def test_the_address_of_a_line_leads_to_the_cart(lantern: str) -> None:
    browser = Client()
    put_into_cart(browser, lantern, 2)
    assert browser.post(f"/cart/lines/{lantern}/", {"quantity": "x"}).status_code == 422
    assert browser.get(f"/cart/lines/{lantern}/")["Location"] == "/cart/", "as after signing in there"


@pytest.mark.parametrize("product_id", ["%25d", "%25", "%25s", "a%0Ab", "%00", "..", "x" * 300])
def test_no_line_that_the_cart_does_not_have_is_a_server_error(product_id: str, lantern: str) -> None:
    browser = Client()
    put_into_cart(browser, lantern, 2)
    for form in ({"quantity": "x"}, {"quantity": "1"}, {"remove": "yes"}, {}):
        answer = browser.post(f"/cart/lines/{product_id}/", form)
        assert (answer.status_code, answer["Location"]) == (302, "/cart/"), form
    assert quantities(browser) == {lantern: 2}
