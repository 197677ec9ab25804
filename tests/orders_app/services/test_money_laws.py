"""What holds of an order's money after anything, in any order and any number of times."""

from collections.abc import Callable

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from foundation.refusals import Refusal
from orders_app import event_log
from orders_app.document import OrderDocument
from orders_app.fold import rebuild_order
from orders_app.models import Payment, PaymentToken, Refund
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER, cancel_order, mark_paid
from orders_app.services.expire_holds import expire_holds
from orders_app.services.pay_order import request_payment_look_up
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus
from tests.orders_app import paying
from tests.orders_app.ordering import STAFF, OrderPlacer, answer, move, now, rejected, reserved
from tests.orders_app.paying import BAD, FRAUD, GATEWAY, GOOD, Gateway, minor, pay, record, refunds_asked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_gateway")]

Action = Callable[[OrderDocument, Gateway], object]


def tell(number: int) -> Action:
    """An answer of the past arrives, for the first time or once more."""

    def record_one(order: OrderDocument, gateway: Gateway) -> None:
        if gateway.answers:
            record(gateway.answers[number % len(gateway.answers)])

    return record_one


def refund(amount: str | None, key: str = "") -> Action:
    return lambda order, _: paying.refund(order, amount, key)


def fail_refund(number: int) -> Action:
    """Of the refunds that have succeeded one fails."""

    def fail(order: OrderDocument, gateway: Gateway) -> None:
        if asked := refunds_asked(order):
            gateway.fail_refund(order, asked[number % len(asked)].refund)

    return fail


ACTIONS: dict[str, Action] = {
    "reserved": lambda order, _: answer(reserved(order)),
    "rejected": lambda order, _: answer(rejected(order)),
    "pay": lambda order, _: pay(order, GOOD),
    "pay badly": lambda order, _: pay(order, BAD),
    "pay by fraud": lambda order, _: pay(order, FRAUD),
    "cancel": lambda order, _: cancel_order(order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF),
    "expire": lambda order, _: expire_holds(order_ids=[order.id], origin=STAFF),
    "mark paid": lambda order, _: mark_paid(order_id=order.id, origin=STAFF),
    "ship": lambda order, _: move(move(order, OrderStatus.PROCESSING), OrderStatus.SHIPPED),
    "gateway works": lambda order, gateway: gateway.work(order),
    "tell first": tell(0),
    "tell another": tell(5),
    "tell last": tell(-1),
    "tell all": lambda _, gateway: record(*gateway.answers),
    "tell all backwards": lambda _, gateway: record(*reversed(gateway.answers)),
    "declines were none": lambda order, gateway: gateway.correct(order),
    "look up": lambda order, _: request_payment_look_up(
        order_id=order.id, attempt=1, payment_id="pi_1", origin=GATEWAY
    ),
    "refund a part": refund("7.77"),
    "refund a part once": refund("7.77", "k"),
    "refund the rest": refund(None),
    "first refund fails": fail_refund(0),
    "last refund fails": fail_refund(-1),
}


PAID = ["reserved", "gateway works", "tell all"]


def settle(order: OrderDocument, gateway: Gateway) -> None:
    """Lets the gateway work, and all of its answers arrive, until nothing changes any more."""
    for _ in range(20):
        before = now(order)
        gateway.work(order)
        record(*gateway.answers)
        if now(order) == before:
            return
    raise AssertionError("the order and the gateway do not come to an end")


def give_back_what_failed(order: OrderDocument, gateway: Gateway) -> None:
    """What staff do for a cancelled order whose refund has failed."""
    current = now(order)
    has_failed = failed_amount(order, current.payment_reference or "", gateway) > 0
    if has_failed and current.status == OrderStatus.CANCELLED and current.refundable_amount:
        refund(None)(order, gateway)
        settle(order, gateway)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    token=st.sampled_from(["", GOOD, BAD]), actions=st.lists(st.sampled_from(sorted(ACTIONS)), max_size=16)
)
@example(token=GOOD, actions=["reserved", "gateway works", "cancel", "tell all", "gateway works", "tell all"])
@example(
    token=BAD,
    actions=["reserved", "gateway works", "tell all", "pay", "gateway works", "expire", "tell all backwards"],
)
@example(
    token=GOOD,
    actions=[*PAID, "refund a part", "gateway works", "tell all", "first refund fails", "tell all"],
)
@example(token=GOOD, actions=[*PAID, "cancel", "gateway works", "last refund fails", "tell all", "expire"])
@example(
    token=BAD,
    actions=["reserved", *["gateway works", "tell all", "pay badly"] * 2, "declines were none", "tell all"],
)
@example(
    token=BAD,
    actions=[
        "reserved",
        "gateway works",
        "tell all",
        "mark paid",
        "declines were none",
        "tell all",
        "cancel",
    ],
)
def test_money_is_kept_only_for_an_order_that_goes_on_and_only_once(
    placer: OrderPlacer, token: str, actions: list[str]
) -> None:
    gateway = Gateway()
    order = placer.place(payment_method=PaymentMethod.CREDIT_CARD, payment_token=token)
    for name in actions:
        try:
            ACTIONS[name](order, gateway)
        except Refusal:
            continue
    settle(order, gateway)
    give_back_what_failed(order, gateway)
    check_laws(now(order), gateway)


def check_laws(order: OrderDocument, gateway: Gateway) -> None:
    kept = gateway.kept(order)
    lost = {payment_id for payment_id in kept if failed_amount(order, payment_id, gateway)}
    own = kept.pop(order.payment_reference or "", 0)
    # Of a payment that was one too many, staff see the refund that failed, and the audit finds it.
    assert {
        payment_id: amount for payment_id, amount in kept.items() if payment_id not in lost and amount
    } == {}
    if order.payment_reference:
        assert own == minor(order) - int(order.refunded_amount * 100)
        assert order.refunded_amount == order.refund_requested_amount
        assert (order.payment_status == PaymentStatus.REFUNDED) == (own == 0)
    if order.status == OrderStatus.CANCELLED:
        assert own == 0
    if order.payment_status == PaymentStatus.FAILED:
        assert own == 0
    assert order == rebuild_order(event_log.history(order.id))
    check_rows(order, gateway)


def failed_amount(order: OrderDocument, payment_id: str, gateway: Gateway) -> int:
    return sum(
        gateway.refunds[key][1]
        for key in gateway.failed_refunds
        if key[0] == order.id and gateway.refunds[key][0] == payment_id
    )


def check_rows(order: OrderDocument, gateway: Gateway) -> None:
    sent = PaymentToken.objects.filter(order_id=order.id, sent_at__isnull=False)
    assert not sent.exists()
    if order.status == OrderStatus.CANCELLED:
        assert not PaymentToken.objects.filter(order_id=order.id).exists()
    succeeded = Payment.objects.filter(order_id=order.id, state=Payment.State.SUCCEEDED)
    charged = {payment_id for (order_id, _), (payment_id, token) in gateway.charges.items() if token == GOOD}
    assert set(succeeded.values_list("payment_id", flat=True)) == charged
    own = Refund.objects.filter(order_id=order.id, payment_id=order.payment_reference or "")
    back = own.filter(state=Refund.State.SUCCEEDED).aggregate(sum=Sum("amount"))["sum"] or 0
    assert back == order.refunded_amount
    assert not Refund.objects.filter(order_id=order.id, state=Refund.State.REQUESTED).exists()
