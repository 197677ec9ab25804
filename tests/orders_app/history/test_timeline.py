"""The stages that people are shown of an order, made of its history alone."""

import pytest

from orders_app.history.steps import steps_of
from orders_app.history.timeline import Stage, StageState, timeline_of
from orders_app.services.expire_holds import HOLD_EXPIRED
from orders_app.services.locked_order import PAYMENT_FAILED
from tests.orders_app.golden_orders import ORDERS

SHORT = (
    "We could not reserve your order: Lantern: 2 requested, 1 available; "
    "Rope “fine”: 1 requested, no longer sold."
)
DONE_THEN_AHEAD = {
    "006-analytics: stock reserved, payment waits": [
        "placed done: Placed",
        "stock done: Stock reserved",
        "payment current: Waiting for the payment",
        "shipped ahead: Shipped",
        "delivered ahead: Delivered",
    ],
    "004-payments: declined, paid, shipped": [
        "placed done: Placed",
        "stock done: Stock reserved",
        "payment done: Paid",
        "shipped done: Shipped",
        "delivered current: On its way",
    ],
    "005-numbered-shapes: delivered, cash on delivery": [
        "placed done: Placed",
        "stock done: Stock reserved",
        "shipped done: Shipped",
        "delivered done: Delivered (24.00 USD was paid.)",
    ],
    "003-overrides: no state, no zip code": [
        "placed done: Placed",
        "stock current: Reserving the stock",
        "shipped ahead: Shipped",
        "delivered ahead: Delivered (24.00 USD is to be paid on delivery.)",
    ],
    "004-payments: nothing to pay": [
        "placed done: Placed",
        "stock done: Stock reserved",
        "shipped current: Being packed",
        "delivered ahead: Delivered",
    ],
    "004-payments: overridden": [
        "placed done: Placed",
        "stock current: Reserving the stock",
        "payment ahead: Payment",
        "shipped done: Shipped",
        "delivered current: On its way",
    ],
}
CANCELLED = {
    "001-first-orders: rejected, INSUFFICIENT_STOCK": [
        "placed done: Placed",
        f"stock failed: Not enough in stock ({SHORT})",
        "cancelled failed: Cancelled",
    ],
    "004-payments: hold expired": [
        "placed done: Placed",
        "stock done: Stock reserved",
        "payment failed: Not paid in time",
        f"cancelled failed: Cancelled ({HOLD_EXPIRED.detail})",
    ],
    "004-payments: declined for good": [
        "placed done: Placed",
        "stock done: Stock reserved",
        "payment failed: Payment declined (The card was declined.)",
        f"cancelled failed: Cancelled ({PAYMENT_FAILED.detail})",
    ],
    "004-payments: cancelled after it was paid": [
        "placed done: Placed",
        "stock done: Stock reserved",
        "payment done: Paid",
        "cancelled failed: Cancelled (Cancelled at the customer's request.)",
        "refund current: Money on its way back (24.00 USD will be given back.)",
    ],
    "001-first-orders: cancelled by the customer before the stock was reserved": [
        "placed done: Placed",
        "cancelled failed: Cancelled (Cancelled at the customer's request.)",
    ],
    "001-first-orders: rejected after it was cancelled": [
        "placed done: Placed",
        "cancelled failed: Cancelled (Cancelled at the customer's request.)",
    ],
}


def stages_of(name: str, versions: int | None = None) -> list[Stage]:
    """The stages of a golden order after so many of its versions."""
    steps = steps_of(ORDERS[name].events[:versions])
    assert steps[-1].after is not None
    return timeline_of(steps[-1].after, steps)


def shown(stage: Stage) -> str:
    detail = f" ({stage.detail})" if stage.detail else ""
    return f"{stage.name} {stage.state}: {stage.title}{detail}"


@pytest.mark.parametrize("name", DONE_THEN_AHEAD | CANCELLED)
def test_an_order_has_the_stages_that_are_done_and_those_ahead(name: str) -> None:
    assert [shown(stage) for stage in stages_of(name)] == (DONE_THEN_AHEAD | CANCELLED)[name]


def test_a_payment_is_declined_under_way_and_done_as_the_versions_tell() -> None:
    name = "004-payments: declined, paid, shipped"
    payments = [
        shown(stage)
        for version in range(1, 9)
        for stage in stages_of(name, version)
        if stage.name == "payment"
    ]
    assert list(dict.fromkeys(payments)) == [
        "payment ahead: Payment",
        "payment current: Payment under way",
        "payment failed: Payment declined (The card was declined.)",
        "payment done: Paid",
    ]


def test_money_that_goes_back_in_parts_is_told_until_it_is_there() -> None:
    name = "004-payments: refunded in parts"
    refunds = [
        shown(stage)
        for version in range(1, len(ORDERS[name].events) + 1)
        for stage in stages_of(name, version)
        if stage.name == "refund"
    ]
    assert list(dict.fromkeys(refunds)) == [
        "refund current: Money on its way back (5.00 USD will be given back.)",
        "refund done: Money given back (5.00 USD went back.)",
        "refund current: Money on its way back (19.00 USD will be given back.)",
        "refund done: Money given back (24.00 USD went back.)",
    ]


def test_a_shipment_has_its_tracking_number() -> None:
    [shipped] = [
        stage for stage in stages_of("004-payments: declined, paid, shipped") if stage.name == "shipped"
    ]
    assert shipped.tracking_number == "T-1"


@pytest.mark.parametrize("name", ORDERS)
def test_what_is_done_has_its_time_and_what_is_ahead_has_none(name: str) -> None:
    for stage in stages_of(name):
        is_over = stage.state in {StageState.DONE, StageState.FAILED}
        assert (stage.time is not None) == is_over, stage


@pytest.mark.parametrize("name", ORDERS)
def test_the_done_stages_of_an_order_follow_each_other(name: str) -> None:
    times = [stage.time for stage in stages_of(name) if stage.time]
    assert times == sorted(times)
