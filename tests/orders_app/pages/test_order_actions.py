"""What a customer does on the page of an order."""

from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from msgspec import structs
from pytest_django import Settings

from orders_app.document import CancelCode, OrderDocument
from orders_app.models import Payment
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus
from tests.conftest import SetRate
from tests.orders_app.ordering import ADDRESS, OTHER_ADDRESS, OrderPlacer, events, move, now
from tests.orders_app.pages.browsing import address_of, browser_of, text_of
from tests.orders_app.paying import declined, record, send_tokens, tokens


def done(browser: Client, order: OrderDocument, action: str, **fields: object) -> str:
    """Does it, and reads the page to which it leads."""
    answer = browser.post(address_of(order, action), fields)
    assert (answer.status_code, answer["Location"]) == (HTTPStatus.FOUND, address_of(order))
    return text_of(browser.get(address_of(order)))


def test_a_customer_cancels_an_order_with_a_reason(placer: OrderPlacer) -> None:
    order = placer.place_reserved()
    page = done(browser_of(placer.user_id), order, "cancel", reason="Ordered twice.")
    assert "Your order is cancelled." in page
    reason = now(order).cancel_reason
    assert reason
    assert (reason.code, reason.detail) == (CancelCode.CUSTOMER_REQUEST, "Ordered twice.")


def test_forms_of_a_user_above_the_rate_are_refused_and_change_nothing(
    set_rate: SetRate, placer: OrderPlacer
) -> None:
    order, other = placer.place(), placer.place()
    browser = browser_of(placer.user_id)
    set_rate("user", "1/hour")
    done(browser, order, "cancel", reason="")
    refused = browser.post(address_of(other, "cancel"), {"reason": ""})
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert "Too many attempts" in text_of(refused, HTTPStatus.TOO_MANY_REQUESTS)
    assert now(other) == other
    text_of(browser.get(address_of(other)))


def test_cancelling_twice_is_the_same_and_too_late_is_told(placer: OrderPlacer) -> None:
    order, delivered = placer.place(), placer.place_reserved()
    browser = browser_of(placer.user_id)
    done(browser, order, "cancel", reason="")
    happened = events(order)
    assert "too late" not in done(browser, order, "cancel", reason="")
    assert events(order) == happened
    for status in (OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        move(delivered, status)
    assert "It was too late to cancel the order." in done(browser, delivered, "cancel", reason="")


def test_a_form_with_an_error_is_shown_again_with_what_was_typed(placer: OrderPlacer) -> None:
    order = placer.place()
    browser = browser_of(placer.user_id)
    long = browser.post(address_of(order, "cancel"), {"reason": "x" * 501})
    assert "at most 500 characters" in text_of(long, HTTPStatus.UNPROCESSABLE_ENTITY)
    assert "autofocus" in long.content.decode()
    assert '<details class="disclosure" open>' in long.content.decode()
    blank = browser.post(address_of(order, "address"), {"street": "  ", "city": "Leeds", "country": "UK"})
    assert "This field is required." in text_of(blank, HTTPStatus.UNPROCESSABLE_ENTITY)
    assert 'value="Leeds"' in blank.content.decode()
    assert now(order) == order


def test_the_address_of_a_forms_action_leads_to_the_order(placer: OrderPlacer) -> None:
    order = placer.place()
    for action in ("cancel", "pay", "address"):
        answer = browser_of(placer.user_id).get(address_of(order, action))
        assert answer["Location"] == address_of(order)
    assert now(order) == order


def test_the_address_is_changed_while_the_order_is_pending(placer: OrderPlacer) -> None:
    order = placer.place()
    browser = browser_of(placer.user_id)
    assert "The address is saved. " in done(browser, order, "address", **structs.asdict(OTHER_ADDRESS))
    assert now(order).shipping_address == OTHER_ADDRESS
    move(order, OrderStatus.PROCESSING)
    page = done(browser, order, "address", **structs.asdict(ADDRESS))
    assert "It was too late to change the address." in page
    assert "the address can no longer be changed" in page
    assert now(order).shipping_address == OTHER_ADDRESS


@pytest.mark.usefixtures("payment_gateway")
class TestPaying:
    def test_a_form_that_is_sent_twice_begins_one_attempt(self, placer: OrderPlacer) -> None:
        order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
        browser = browser_of(placer.user_id)
        for _ in range(2):
            page = done(browser, order, "pay", card="visa", attempt="0")
            assert "your payment is under way" in page
        assert [attempt for attempt, _ in tokens(order)] == [1]
        send_tokens(order)
        record(declined(order))
        done(browser, order, "pay", card="visa", attempt="0")
        assert now(order).payment_attempts == 1, "the same form again, after its decline"

    def test_a_form_that_is_sent_twice_at_once_begins_one_attempt_however_soon_it_is_declined(
        self, placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
        browser = browser_of(placer.user_id)
        done(browser, order, "pay", card="declined", attempt="0")
        record(declined(order))
        # The second request has read the order before the first attempt began.
        monkeypatch.setattr("orders_app.pages.orders_actions.find_order", lambda request, number: order)
        browser.post(address_of(order, "pay"), {"card": "declined", "attempt": "0"})
        assert now(order).payment_attempts == 1

    def test_an_order_is_paid_again_after_a_decline_with_another_card(self, placer: OrderPlacer) -> None:
        order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
        browser = browser_of(placer.user_id)
        done(browser, order, "pay", card="declined", attempt="0")
        record(declined(order))
        done(browser, order, "pay", card="visa", attempt="1")
        assert now(order).payment_attempts == 2
        record(declined(order, 2))
        assert "After the next decline the order is cancelled." in text_of(browser.get(address_of(order)))
        assert Payment.objects.filter(order_id=order.id).count() == 2

    def test_another_card_waits_for_the_end_of_a_payment(self, placer: OrderPlacer) -> None:
        order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
        browser = browser_of(placer.user_id)
        done(browser, order, "pay", card="visa", attempt="0")
        page = done(browser, order, "pay", card="declined", attempt="1")
        assert "Another payment of this order is under way" in page
        assert now(order).payment_attempts == 1

    def test_an_order_that_needs_no_payment_begins_none(self, placer: OrderPlacer) -> None:
        order = placer.place_reserved()
        page = done(browser_of(placer.user_id), order, "pay", card="visa", attempt="0")
        assert "No payment was begun" in page
        assert now(order).payment_status == PaymentStatus.PENDING

    def test_a_card_that_is_not_offered_is_an_error_beside_the_field(self, placer: OrderPlacer) -> None:
        order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
        for fields in ({"card": "pm_card_visa", "attempt": "0"}, {"card": "visa", "attempt": "x"}, {}):
            answer = browser_of(placer.user_id).post(address_of(order, "pay"), fields)
            assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert not tokens(order)

    def test_a_token_is_taken_where_cards_have_none_of_ours_and_shown_never_again(
        self, placer: OrderPlacer, settings: Settings
    ) -> None:
        settings.STRIPE_SECRET_KEY = "sk_live_of_no_gateway"
        order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
        browser = browser_of(placer.user_id)
        wrong = browser.post(address_of(order, "pay"), {"payment_token": "pm one", "attempt": "0"})
        assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "pm one" not in wrong.content.decode()
        request: Any = wrong.wsgi_request
        assert request.sensitive_post_parameters == ("payment_token",), "in no report of an error"
        assert "pm_secret_one" not in done(browser, order, "pay", payment_token="pm_secret_one", attempt="0")
        assert tokens(order) == [(1, "pm_secret_one")]


def test_without_a_gateway_the_page_says_that_it_cannot_be_paid_here(
    placer: OrderPlacer, settings: Settings
) -> None:
    settings.STRIPE_SECRET_KEY = ""
    order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
    page = text_of(browser_of(placer.user_id).get(address_of(order)))
    assert "It cannot be paid on this page." in page
    assert "Pay now" not in page
