"""The page of an order, as its customer and others see it."""

from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from orders_app.document import OrderDocument
from orders_app.services.change_order import update_order
from orders_app.state_machine import OrderStatus, PaymentMethod
from tests.orders_app.ordering import STAFF, OrderPlacer, answer, move, now, rejected, reserved
from tests.orders_app.pages.browsing import address_of, browser_of, staff_browser, text_of
from tests.orders_app.paying import declined, give_back_all, pay, record, refund, taken

MOST_QUERIES = 10


def page_of(order: OrderDocument) -> str:
    """What its customer reads on the page of the order."""
    return text_of(browser_of(order.user_id).get(address_of(order)))


def test_the_page_tells_how_far_an_order_is_and_what_happened(placer: OrderPlacer) -> None:
    order = placer.place_reserved()
    update_order(order_id=order.id, tracking_number="1Z 999", origin=STAFF)
    move(order, OrderStatus.SHIPPED)
    page = page_of(order)
    assert "Your order is on its way to you." in page
    assert "Tracking number 1Z 999" in page
    assert "The order was placed: 2 pieces for 20.00 USD (Cash on delivery)." in page
    assert "The stock was reserved." in page
    assert "20.00 USD is to be paid on delivery." in page
    assert "1 Bridge St 01262 Stockbridge MA US" in page
    assert "It has been shipped: it may still arrive" in page
    move(order, OrderStatus.DELIVERED)
    assert "It was delivered, so it can no longer be cancelled." in page_of(order)


def test_a_rejected_order_says_what_was_short(placer: OrderPlacer) -> None:
    lamp, rope = placer.catalogue.add("Lamp"), placer.catalogue.add("Rope")
    order = placer.place_items((lamp, 3), (rope, 1)).order
    answer(rejected(order, available=1))
    page = page_of(order)
    assert "We could not reserve your order: Lamp: 3 requested, 1 available." in page
    assert page.count("Not enough in stock") == 2, "the stage, and the one item"
    assert "Cancel this order" not in page


@pytest.mark.usefixtures("payment_gateway")
def test_the_page_shows_the_way_of_the_money(placer: OrderPlacer) -> None:
    order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
    page = page_of(order)
    assert "Please pay, so that we can pack them." in page
    assert "Pay 20.00 USD" in page
    assert "We keep your items until" in page
    pay(order)
    page = page_of(order)
    assert "your payment is under way" in page
    assert "Pay now" not in page
    record(declined(order))
    page = page_of(order)
    assert "Your payment was declined. Please pay again." in page
    assert "The bank declined the payment." in page
    assert "Pay now" in page
    pay(order)
    record(taken(order, 2))
    assert "Payment, attempt 1: Declined" in (page := page_of(order))
    assert "Payment, attempt 2: Paid" in page
    assert "Your order is being packed." in page
    refund(order, "5.00")
    assert "5.00 USD will be given back." in page_of(order)
    give_back_all(order)
    assert "5.00 USD went back." in page_of(order)


def test_the_order_of_another_customer_is_not_there(placer: OrderPlacer) -> None:
    order = placer.place()
    stranger = browser_of(User.objects.create_user("stranger").pk)
    for action in ("", "cancel", "pay", "address"):
        method = stranger.post if action else stranger.get
        assert method(address_of(order, action)).status_code == HTTPStatus.NOT_FOUND
    for number in ("SB-0000-0000", "%00", "SB-%27", "x" * 300):
        assert stranger.get(f"/orders/{number}/").status_code == HTTPStatus.NOT_FOUND
    assert now(order) == order


def test_staff_see_the_order_and_its_customer_alone_acts_here(placer: OrderPlacer) -> None:
    order = placer.place()
    staff = staff_browser()
    page = staff.get(address_of(order))
    assert "This is the order of a customer." in text_of(page)
    assert f"/admin/orders_app/order/{order.id}/change/" in page.content.decode()
    assert "Cancel this order" not in page.content.decode()
    for action in ("cancel", "pay", "address"):
        assert staff.post(address_of(order, action)).status_code == HTTPStatus.FORBIDDEN
    assert now(order) == order


def test_a_page_is_kept_nowhere_and_takes_a_bounded_number_of_queries(
    placer: OrderPlacer, django_assert_max_num_queries: Any
) -> None:
    lines = [(placer.catalogue.add(f"Lamp {number}"), 1) for number in range(30)]
    order = placer.place_items(*lines).order
    answer(reserved(order))
    browser = browser_of(placer.user_id)
    with django_assert_max_num_queries(MOST_QUERIES):
        page = browser.get(address_of(order))
    assert page["Cache-Control"] == "no-store"
    assert browser.get(address_of(order).lower()).status_code == HTTPStatus.OK


def test_staff_who_may_not_see_customers_read_no_name_and_no_address(placer: OrderPlacer) -> None:
    order = placer.place_reserved()
    User.objects.filter(pk=placer.user_id).update(first_name="Ada", last_name="Moore")
    staff = staff_browser()
    page = text_of(staff.get(address_of(order)))
    assert [words for words in ("Ada", "Moore", "1 Bridge St", "01262") if words in page] == []
    assert "The stock was reserved." in page
    right = Permission.objects.get(codename="view_customers")
    User.objects.get(username="staff-who-looks").user_permissions.add(right)
    page = text_of(staff.get(address_of(order)))
    assert [words for words in ("Ada Moore", "1 Bridge St", "01262") if words not in page] == []
