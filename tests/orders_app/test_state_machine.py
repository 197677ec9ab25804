"""The tables of the state machine are those of the contract."""

from orders_app.state_machine import FINAL, TRANSITIONS, OrderStatus, PaymentMethod, PaymentStatus, is_allowed


def test_statuses_have_the_codes_and_labels_of_the_contract() -> None:
    assert dict(OrderStatus.choices) == {
        1: "Pending",
        2: "Processing",
        3: "Shipped",
        4: "Delivered",
        5: "Cancelled",
    }


def test_transitions_are_those_of_the_contract() -> None:
    assert TRANSITIONS == {1: (2, 5), 2: (3, 5), 3: (4, 5), 4: (), 5: ()}


def test_only_delivered_and_cancelled_are_final() -> None:
    assert {OrderStatus.DELIVERED, OrderStatus.CANCELLED} == FINAL


def test_no_status_may_be_skipped_or_repeated() -> None:
    assert not is_allowed(OrderStatus.PENDING, OrderStatus.SHIPPED)
    assert not is_allowed(OrderStatus.PROCESSING, OrderStatus.PROCESSING)
    assert not is_allowed(OrderStatus.SHIPPED, OrderStatus.PROCESSING)


def test_payment_codes_are_those_of_the_contract() -> None:
    assert PaymentStatus.values == [1, 2, 3, 4]
    assert (PaymentMethod.CASH_ON_DELIVERY, PaymentMethod.STRIPE) == (6, 7)
