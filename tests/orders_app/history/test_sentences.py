"""What people are told of each step of an order, and which fields it changed."""

import json
from typing import Any

import msgspec
import pytest

from orders_app.event_data import EventType
from orders_app.fold import rebuild_order
from orders_app.history.sentences import SENTENCES, UNREADABLE, sentence_of
from orders_app.history.steps import field_changes, steps_of
from tests.orders_app.golden_orders import EVENTS, ORDERS
from tests.orders_app.history.told_orders import fields_to_tell, order_told_by

TOLD = {
    "004-payments: delivered, cash on delivery": [
        "The order was placed: 3 pieces for 24.00 USD (Cash on delivery).",
        "The stock was reserved.",
        "The order went from Pending to Processing. Its stock is reserved.",
        "The tracking number is T-1.",
        "The order went from Processing to Shipped. Its tracking number is T-1.",
        "The tracking number T-1 was taken back.",
        "The order went from Shipped to Delivered.",
        "The order was delivered.",
        "24.00 USD was recorded as paid.",
        "The order was deleted.",
    ],
    "004-payments: declined, paid, shipped": [
        "The order was placed: 3 pieces for 24.00 USD (Stripe).",
        "The stock was reserved.",
        "The payment of 24.00 USD was requested (attempt 1).",
        "The payment failed. The card was declined.",
        "Payment attempt 2 began.",
        "The payment of 24.00 USD was requested (attempt 2).",
        "The payment pi_1 was looked up.",
        "24.00 USD was paid.",
        "The order went from Pending to Processing. Its stock is reserved and it is paid.",
        "The tracking number is T-1.",
        "The order went from Processing to Shipped. Its tracking number is T-1.",
    ],
    "004-payments: refunded in parts": [
        "The order was placed: 3 pieces for 24.00 USD (Stripe).",
        "The stock was reserved.",
        "The payment of 24.00 USD was requested (attempt 1).",
        "24.00 USD was paid.",
        "The order went from Pending to Processing. Its stock is reserved and it is paid.",
        "5.00 USD of payment pi_1 will be given back. One of the lamps was broken.",
        "5.00 USD went back.",
        "19.00 USD of payment pi_1 will be given back. Sent back.",
        "The refund of 19.00 USD failed.",
        "19.00 USD of payment pi_1 will be given back. Sent back.",
        "19.00 USD went back.",
        "The refund of 19.00 USD failed.",
    ],
    "004-payments: cancelled by the customer before the stock was reserved": [
        "The order was placed: 3 pieces for 24.00 USD (Cash on delivery).",
        "The order went from Pending to Cancelled.",
        "The order was cancelled. Cancelled at the customer's request.",
        "The release of the stock was requested. The order was cancelled before its stock was reserved.",
        "The stock was released.",
    ],
    "004-payments: rejected after it was cancelled": [
        "The order was placed: 3 pieces for 24.00 USD (Cash on delivery).",
        "The order went from Pending to Cancelled.",
        "The order was cancelled. Cancelled at the customer's request.",
        "The stock could not be reserved.",
    ],
    "001-first-orders: paid in advance, recorded by staff": [
        "The order was placed: 3 pieces for 24.00 USD (UPI).",
        "The shipping address was changed.",
        "The stock was reserved.",
        "24.00 USD was recorded as paid.",
        "The order went from Pending to Processing. Its stock is reserved and it is paid.",
    ],
}
ENDS = {
    "003-overrides: overridden": (
        "The order went from Processing to Shipped. "
        "The checks were overridden, without its stock and payment: The customer is known to us."
    ),
    "003-overrides: reserved twice, differently": (
        "The stock was requested again. The answers about it contradicted each other."
    ),
    "004-payments: paid twice": "A payment that the order does not keep went back.",
    "001-first-orders: rejected, PRODUCT_INACTIVE": (
        "The order was cancelled. We could not reserve your order: Lantern: 2 requested, no longer sold."
    ),
}


def told(name: str, *, for_staff: bool = True) -> list[str]:
    return [sentence_of(step, for_staff=for_staff) for step in steps_of(ORDERS[name].events)]


def test_every_type_of_event_has_a_sentence() -> None:
    assert SENTENCES.keys() == {*EventType}


@pytest.mark.parametrize("name", TOLD)
def test_a_history_is_told_in_sentences(name: str) -> None:
    assert told(name) == TOLD[name]


@pytest.mark.parametrize("name", ENDS)
def test_a_history_ends_with_this_sentence(name: str) -> None:
    assert told(name)[-1] == ENDS[name]


def test_an_order_without_a_price_says_that_there_was_nothing_to_pay() -> None:
    assert "There was nothing to pay." in told("004-payments: nothing to pay")


@pytest.mark.parametrize("internal", ["pi_1", "The customer is known to us.", "overridden", "contradicted"])
def test_customers_are_not_told_what_is_internal(internal: str) -> None:
    def anybody_is_told(*, for_staff: bool) -> bool:
        return any(internal in sentence for name in ORDERS for sentence in told(name, for_staff=for_staff))

    assert anybody_is_told(for_staff=True)
    assert not anybody_is_told(for_staff=False)


@pytest.mark.parametrize("name", ORDERS)
def test_the_changes_of_all_steps_together_are_the_order(name: str) -> None:
    events = ORDERS[name].events
    assert order_told_by(events) == fields_to_tell(rebuild_order(events))


def test_a_changed_field_tells_its_value_before_and_after() -> None:
    placed, edited, *_ = steps_of(ORDERS["001-first-orders: paid in advance, recorded by staff"].events)
    change = json.loads(msgspec.json.encode(field_changes(edited)))
    assert change.keys() == {"shippingAddress"}
    assert change["shippingAddress"]["from"]["street"] == "1 Bridge St"
    assert change["shippingAddress"]["to"]["street"] == "2 Bridge St"
    assert field_changes(placed)["status"].old is None
    assert "cancelReason" not in field_changes(placed)


@pytest.mark.parametrize("unreadable", range(3))
def test_an_event_that_cannot_be_read_takes_only_its_own_sentence(unreadable: int) -> None:
    events = list(ORDERS["004-payments: delivered, cash on delivery"].events)
    events[unreadable] = msgspec.structs.replace(events[unreadable], data=b'{"orderNumber": 5}')
    steps = steps_of(events)
    told = [sentence_of(step, for_staff=True) for step in steps]
    assert told[unreadable] == UNREADABLE
    assert field_changes(steps[unreadable]) == {}
    # Without its beginning nothing is known of an order.
    assert [sentence == UNREADABLE for sentence in told] == [
        version == unreadable or not unreadable for version in range(len(events))
    ]


def test_an_event_of_an_unknown_type_is_told_as_such() -> None:
    unknown: Any = "order.gift_wrapped"
    assert (
        sentence_of(steps_of([msgspec.structs.replace(EVENTS[0], type=unknown)])[0], for_staff=False)
        == UNREADABLE
    )


def test_a_reason_that_was_erased_leaves_no_word_in_the_sentence() -> None:
    events = ORDERS["002-codes-in-capitals: cancelled by staff"].events
    data = json.loads(events[-1].data) | {"redaction": 7}
    data["changes"]["cancelReason"]["detail"] = "erased"
    last = msgspec.structs.replace(events[-1], data=json.dumps(data).encode())
    told = sentence_of(steps_of([*events[:-1], last])[-1], for_staff=False)
    assert told == "The order was cancelled. Personal data in it was erased."


def test_an_event_whose_personal_data_was_erased_says_so() -> None:
    events = list(ORDERS["001-first-orders: paid in advance, recorded by staff"].events)
    erased = {"street": "erased", "city": "erased", "country": "erased", "state": "", "zipCode": ""}
    for index in (0, 1):
        data = json.loads(events[index].data) | {"redaction": 7}
        data["changes"]["shippingAddress"] = erased
        events[index] = msgspec.structs.replace(events[index], data=json.dumps(data).encode())
    placed, edited, reserved, *_ = steps_of(events)
    assert sentence_of(placed, for_staff=False).endswith("(UPI). Personal data in it was erased.")
    assert sentence_of(edited, for_staff=True) == "The order was updated. Personal data in it was erased."
    assert sentence_of(reserved, for_staff=True) == "The stock was reserved."
    assert field_changes(edited) == {}
