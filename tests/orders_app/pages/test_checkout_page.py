"""The checkout: one cart is one order, at the prices that were shown, and what is wrong is told beside it."""

import re
from decimal import Decimal
from typing import Any

import pytest
from bson import Decimal128
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings
from pytest_django.fixtures import DjangoAssertNumQueries

from orders_app.models import Order, PaymentToken
from orders_app.pages import checkout_page
from orders_app.pages.payment_choice import TEST_CARDS
from orders_app.state_machine import PaymentMethod
from tests.orders_app.ordering import Catalogue
from tests.orders_app.pages.browsing import words_of
from tests.orders_app.pages.shopping import (
    ADDRESS,
    BY_CARD,
    change_product,
    checkout_form,
    hidden_fields,
    put_into_cart,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_gateway")]


@pytest.fixture
def buyer(lantern: str) -> Client:
    """A customer who has two lanterns in the cart."""
    browser = Client()
    browser.force_login(User.objects.create_user("walter"))
    put_into_cart(browser, lantern, 2)
    return browser


def test_who_is_signed_out_signs_in_first_and_keeps_the_cart(lantern: str) -> None:
    browser = Client()
    put_into_cart(browser, lantern)
    assert browser.get("/checkout/")["Location"] == "/login/?next=/checkout/"
    assert browser.post("/checkout/", ADDRESS)["Location"] == "/login/?next=/checkout/"
    browser.force_login(User.objects.create_user("walter"))
    assert browser.get("/checkout/").status_code == 200


def test_an_empty_cart_leads_back_to_the_cart() -> None:
    browser = Client()
    browser.force_login(User.objects.create_user("walter"))
    assert browser.get("/checkout/")["Location"] == "/cart/"
    assert browser.post("/checkout/", ADDRESS)["Location"] == "/cart/"


def test_an_order_is_placed_with_what_was_entered(buyer: Client, lantern: str) -> None:
    done = buyer.post("/checkout/", checkout_form(buyer))
    order = Order.objects.get()
    assert done["Location"] == f"/orders/{order.order_number}/"
    assert (order.total_amount, order.payment_method) == (Decimal("20.00"), PaymentMethod.CASH_ON_DELIVERY)
    assert {name: getattr(order, name) for name in ADDRESS} == ADDRESS
    assert [(item.product_id, item.quantity) for item in order.items.all()] == [(lantern, 2)]
    assert not PaymentToken.objects.exists(), "an order that is paid on delivery takes no card"
    assert "Your cart is empty" in words_of(buyer.get("/cart/"))


def test_the_next_checkout_begins_with_the_address_of_the_last_order(buyer: Client, lantern: str) -> None:
    buyer.post("/checkout/", checkout_form(buyer, city="Bristol"))
    put_into_cart(buyer, lantern)
    assert 'value="Bristol"' in buyer.get("/checkout/").content.decode()


@pytest.mark.parametrize("card", TEST_CARDS, ids=lambda card: card.name)
def test_each_test_card_charges_by_its_token_which_no_page_shows(card: object, buyer: Client) -> None:
    page = buyer.get("/checkout/").content.decode()
    assert "pm_" not in page
    assert buyer.post("/checkout/", checkout_form(buyer, BY_CARD, card=card.name)).status_code == 302  # type: ignore[attr-defined]
    assert PaymentToken.objects.get().token == card.token  # type: ignore[attr-defined]


def test_an_order_can_be_paid_later(buyer: Client) -> None:
    assert buyer.post("/checkout/", checkout_form(buyer, BY_CARD, card="later")).status_code == 302
    assert Order.objects.get().payment_method == PaymentMethod.CREDIT_CARD
    assert not PaymentToken.objects.exists()


def test_where_money_is_real_a_token_is_asked_for_and_never_shown_again(
    buyer: Client, settings: Settings
) -> None:
    settings.STRIPE_SECRET_KEY = "sk_live_of_no_gateway"
    form = checkout_form(buyer, BY_CARD, payment_token="pm_of_walter", street="")
    refused = buyer.post("/checkout/", form)
    assert refused.status_code == 422
    assert "pm_of_walter" not in refused.content.decode()
    assert buyer.post("/checkout/", form | {"street": "x", "payment_token": "ä"}).status_code == 422
    assert buyer.post("/checkout/", form | {"street": "x"}).status_code == 302
    assert PaymentToken.objects.get().token == "pm_of_walter"


def test_without_a_gateway_orders_are_paid_on_delivery(buyer: Client, settings: Settings) -> None:
    settings.STRIPE_SECRET_KEY = ""
    assert "Credit card" not in words_of(buyer.get("/checkout/"))
    assert buyer.post("/checkout/", checkout_form(buyer, BY_CARD)).status_code == 422
    assert buyer.post("/checkout/", checkout_form(buyer)).status_code == 302


def test_a_form_that_is_sent_again_leads_to_the_same_order(buyer: Client, lantern: str) -> None:
    form = checkout_form(buyer, BY_CARD)
    first, again = buyer.post("/checkout/", form), buyer.post("/checkout/", form | {"card": "declined"})
    assert first["Location"] == again["Location"]
    put_into_cart(buyer, lantern)
    assert buyer.post("/checkout/", form)["Location"] == first["Location"]
    assert Order.objects.count() == PaymentToken.objects.count() == 1
    assert "Your cart is empty" not in words_of(buyer.get("/cart/")), "the new cart is another order"
    assert buyer.post("/checkout/", checkout_form(buyer)).status_code == 302
    assert Order.objects.count() == 2


def test_an_order_whose_answer_was_lost_is_found_from_the_cart(buyer: Client) -> None:
    form, before = checkout_form(buyer), dict(buyer.session)
    placed = buyer.post("/checkout/", form)["Location"]
    session = buyer.session  # as a server leaves it that is killed before it has stored the session
    session["cart"] = before["cart"]
    session.save()
    assert buyer.get("/checkout/")["Location"] == placed
    assert "Your cart is empty" in words_of(buyer.get("/cart/"))
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"street": ""}, "This field is required."),
        ({"street": "a\tb"}, "one line"),
        ({"city": "x" * 101}, "at most 100 characters"),
        ({"country": "\x00"}, "Null characters"),
        ({"payment_method": "9"}, "Select a valid choice"),
        ({"payment_method": BY_CARD, "card": "gold"}, "Select a valid choice"),
        ({"payment_method": BY_CARD, "card": ""}, "This field is required."),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(wrong: dict[str, str], told: str, buyer: Client) -> None:
    answer = buyer.post("/checkout/", checkout_form(buyer, **wrong))
    assert answer.status_code == 422
    page = answer.content.decode()
    errors = re.findall(r'<ul class="field__errors"[^>]*>(.*?)</ul>', page)
    assert len(errors) == 1
    assert told in errors[0]
    assert "autofocus" in page
    assert not Order.objects.exists()


def test_the_customer_orders_what_was_shown_at_the_price_that_was_shown(
    buyer: Client, lantern: str, catalogue: Catalogue
) -> None:
    form = checkout_form(buyer)
    change_product(catalogue, lantern, price=Decimal128("11.00"))
    answer = buyer.post("/checkout/", form)
    assert answer.status_code == 409
    assert "Your cart or a price has changed." in words_of(answer)
    assert "Total 22.00 USD" in words_of(answer)
    assert not Order.objects.exists()
    put_into_cart(buyer, lantern)
    assert buyer.post("/checkout/", checkout_form(buyer)).status_code == 302
    assert Order.objects.get().total_amount == Decimal("33.00")


def test_a_price_that_changes_while_the_order_is_placed_is_not_charged_unseen(
    buyer: Client, lantern: str, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, form = checkout_page._place, checkout_form(buyer)

    def place_later(*asked: Any) -> HttpResponse:
        change_product(catalogue, lantern, price=Decimal128("11.00"))
        return place(*asked)

    monkeypatch.setattr(checkout_page, "_place", place_later)
    answer = buyer.post("/checkout/", form)
    assert answer.status_code == 409
    assert "Total 22.00 USD" in words_of(answer)
    assert not Order.objects.exists()
    assert buyer.post("/checkout/", form | hidden_fields(answer)).status_code == 302
    assert Order.objects.get().total_amount == Decimal("22.00")


@pytest.mark.parametrize("fields", [{"stock": 1}, {"stock": 0}, {"isActive": False}])
def test_what_has_gone_meanwhile_is_told_in_the_cart(
    fields: dict[str, object], buyer: Client, lantern: str, catalogue: Catalogue
) -> None:
    form = checkout_form(buyer)
    change_product(catalogue, lantern, **fields)
    for answer in (buyer.post("/checkout/", form, follow=True), buyer.get("/checkout/", follow=True)):
        assert answer.redirect_chain == [("/cart/", 302)]
        assert "please look at what has changed in your cart" in words_of(answer)
    assert not Order.objects.exists()


def test_a_customer_who_may_not_exist_any_more_orders_nothing(buyer: Client) -> None:
    form = checkout_form(buyer)
    User.objects.all().delete()
    assert buyer.post("/checkout/", form)["Location"] == "/login/?next=/checkout/"


def test_the_checkout_asks_the_database_a_bounded_number_of_times(
    buyer: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    form = checkout_form(buyer)
    with django_assert_max_num_queries(6):
        buyer.get("/checkout/")
    with django_assert_max_num_queries(6):
        buyer.post("/checkout/", form)
    with django_assert_max_num_queries(2):
        buyer.get("/cart/")
