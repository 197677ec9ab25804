"""The list of a customer's own orders."""

from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from orders_app.pages import orders_list
from orders_app.state_machine import OrderStatus
from tests.orders_app.ordering import OrderPlacer
from tests.orders_app.pages.browsing import browser_of, text_of

MOST_QUERIES = 5
"""Session, user, orders, their items, and one more where a list is counted."""


def test_a_customer_sees_own_orders_and_no_others(placer: OrderPlacer) -> None:
    order = placer.place()
    other = OrderPlacer(User.objects.create_user("somebody-else").pk, placer.catalogue)
    foreign = other.place()
    page = text_of(browser_of(placer.user_id).get("/orders/"))
    assert order.order_number in page
    assert "2 \N{MULTIPLICATION SIGN} Lantern" in page
    assert "We are reserving your items." in page
    assert "20.00 USD" in page
    assert foreign.order_number not in page


def test_who_is_signed_out_is_asked_to_sign_in_and_comes_back(db: None) -> None:
    answer = Client().get("/orders/?status=4")
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/orders/%3Fstatus%3D4")


def test_orders_are_found_by_status_and_by_words(placer: OrderPlacer) -> None:
    shipped = placer.place_and_move(OrderStatus.PROCESSING, OrderStatus.SHIPPED)
    lamp = placer.place_items((placer.catalogue.add("Lamp"), 1)).order
    browser = browser_of(placer.user_id)

    def found(query: str) -> set[str]:
        page = text_of(browser.get(f"/orders/?{query}"))
        return {order.order_number for order in (shipped, lamp) if order.order_number in page}

    assert found("") == {shipped.order_number, lamp.order_number}
    assert found("status=3") == {shipped.order_number}
    assert found("status=1,2,3") == {shipped.order_number, lamp.order_number}
    assert found("search=lamp") == {lamp.order_number}
    assert found("search=lamp&status=3") == set()


def test_an_empty_list_says_why_and_leads_on(placer: OrderPlacer) -> None:
    browser = browser_of(placer.user_id)
    assert "No orders yet" in text_of(browser.get("/orders/"))
    nothing = browser.get("/orders/?search=zeppelin")
    assert "No order fits" in text_of(nothing)
    assert 'href="/orders/"' in nothing.content.decode()


@pytest.mark.parametrize("query", ["status=9", "createdAfter=yesterday"])
def test_a_filter_that_means_nothing_is_refused_with_the_reason(placer: OrderPlacer, query: str) -> None:
    answer = browser_of(placer.user_id).get(f"/orders/?{query}")
    assert "valid" in text_of(answer, HTTPStatus.BAD_REQUEST)


def test_a_long_list_has_pages_and_a_bounded_number_of_queries(
    placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(orders_list, "ORDERS_ON_A_PAGE", 3)
    lantern = placer.catalogue.add()
    orders = [placer.place_items((lantern, 1)).order for _ in range(7)]
    browser = browser_of(placer.user_id)
    with django_assert_max_num_queries(MOST_QUERIES):
        page = browser.get("/orders/?page=2")
    shown = [order for order in orders if order.order_number in text_of(page)]
    assert shown == orders[1:4]
    assert 'rel="next"' in page.content.decode()
    assert 'rel="next"' not in browser.get("/orders/?page=3").content.decode()
    for number in ("4", "0", "-1", "x", "99999999999999999999"):
        assert browser.get(f"/orders/?page={number}").status_code == HTTPStatus.NOT_FOUND
