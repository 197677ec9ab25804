"""The audit of payments finds what differs between the gateway's books and the orders, and nothing else."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from devtools.driver.shop import eventually
from foundation.metrics import PAYMENT_DIFFERENCES
from orders_app.document import OrderDocument, PaymentFailure
from orders_app.models import LastPaymentAudit, Order, Refund
from orders_app.money import to_minor_units
from orders_app.payments.audit import auditing
from orders_app.payments.audit.last_audit import update_payment_differences
from orders_app.payments.gateway import PaymentState, RefundOrder, gateway
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER, cancel_order, delete_order, mark_paid
from orders_app.services.record_payment_answers import record_refund_failure
from orders_app.services.refund_order import refund_order
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus
from tests.concurrency import run_beside
from tests.orders_app.ordering import STAFF, OrderPlacer, move, now
from tests.orders_app.paying import record, refunds_asked, taken
from tests.orders_app.payments.charging import (
    charge_by_hand,
    charge_request,
    give_back_by_hand,
    outcome_of,
    payments_for,
    place_with_token,
    returned_for,
    settle,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_sandbox")]


@pytest.fixture(autouse=True)
def quick_and_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time between the looks, and no money that earlier tests took for orders that are forgotten."""
    monkeypatch.setattr(auditing, "SETTLE_SECONDS", 0)
    eventually(no_payment_is_processing, "payments of earlier tests have ended")
    for payment in gateway().payments():
        returned = sum(each.amount for each in gateway().refunds(payment.id))
        if payment.state == PaymentState.SUCCEEDED and returned < payment.amount:
            give_back_by_hand(payment, payment.amount - returned)


def no_payment_is_processing() -> bool:
    return all(payment.state != PaymentState.PROCESSING for payment in gateway().payments())


def audit(*options: str) -> tuple[int, list[str]]:
    """The exit code, and the lines about differences."""
    out = StringIO()
    code = 0
    try:
        call_command("audit_payments", *options, stdout=out)
    except CommandError as error:
        code = error.returncode
    *lines, summary = out.getvalue().splitlines()
    assert "audited" in summary
    return code, lines


def cancel(order: OrderDocument) -> None:
    cancel_order(order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)


def refund(order: OrderDocument, amount: str) -> OrderDocument:
    refund_order(
        order_id=order.id, amount=Decimal(amount), reason="Broken.", idempotency_key="", origin=STAFF
    )
    return settle(order)


def paid(placer: OrderPlacer) -> OrderDocument:
    return settle(place_with_token(placer))


def refunded(placer: OrderPlacer) -> OrderDocument:
    return refund(paid(placer), "2.50")


def cancelled(placer: OrderPlacer) -> OrderDocument:
    order = paid(placer)
    cancel(order)
    return settle(order)


def declined(placer: OrderPlacer) -> OrderDocument:
    return settle(place_with_token(placer, "pm_card_chargeDeclined"))


def under_way(placer: OrderPlacer) -> OrderDocument:
    """Charged, and not yet told."""
    order = place_with_token(placer)
    outcome_of(charge_request(order))
    return order


def refund_under_way(placer: OrderPlacer) -> OrderDocument:
    """Cancelled and asked back, and not yet given back."""
    order = paid(placer)
    cancel(order)
    return order


def paid_otherwise(placer: OrderPlacer) -> OrderDocument:
    order = placer.place_reserved(payment_method=PaymentMethod.NET_BANKING)
    return mark_paid(order_id=order.id, origin=STAFF)


def deleted(placer: OrderPlacer) -> OrderDocument:
    order = refunded(placer)
    for status in (OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        move(order, status)
    delete_order(order_id=order.id, origin=STAFF)
    return order


@pytest.mark.parametrize(
    "history",
    [paid, refunded, cancelled, declined, under_way, refund_under_way, paid_otherwise, deleted],
)
def test_what_is_right_or_under_way_is_no_difference(
    placer: OrderPlacer, history: Callable[[OrderPlacer], OrderDocument]
) -> None:
    history(placer)
    assert audit() == (0, [])
    assert audit("--repair") == (0, [])


def test_a_charge_nobody_knows_is_found_and_goes_back_once(placer: OrderPlacer) -> None:
    charges = [charge_by_hand(), charge_by_hand(str(uuid4())), charge_by_hand("order-of-a-neighbour")]
    code, lines = audit()
    assert code == 1
    assert sorted(line.split(":")[0] for line in lines) == sorted(f"payment {each.id}" for each in charges)
    assert all("7.00 USD were taken for no order of ours" in line for line in lines)
    code, lines = audit("--repair")
    assert (code, len(lines)) == (0, 3)
    assert audit("--repair") == (0, [])
    for charge in charges:
        assert [each.amount for each in gateway().refunds(charge.id)] == [700]


def test_a_charge_in_a_currency_that_is_not_known_is_found_like_any_other(placer: OrderPlacer) -> None:
    charge = charge_by_hand(currency="std")
    _, [line] = audit()
    assert line.startswith(f"payment {charge.id}: 700 of the smallest unit of STD were taken")
    assert audit("--repair")[0] == 0


def test_a_second_charge_for_an_order_is_found_and_goes_back(placer: OrderPlacer) -> None:
    order = paid(placer)
    extra = charge_by_hand(str(order.id), attempt=7, amount=1250)
    code, [line] = audit()
    assert code == 1
    assert line.startswith(
        f"payment {extra.id}: 12.50 USD were taken for {order.order_number}, which does not"
    )
    assert audit("--repair")[0] == 0
    assert returned_for(order) == 1250
    assert audit() == (0, [])
    assert now(order).payment_status == PaymentStatus.PAID


def test_a_charge_of_which_its_order_was_never_told_is_told_to_it(placer: OrderPlacer) -> None:
    order = declined(placer)
    # The same attempt succeeded after all, and the webhook was lost.
    charge_by_hand(str(order.id), attempt=1, amount=1250)
    code, lines = audit()
    assert (code, len(lines)) == (1, 1)
    assert audit("--repair")[0] == 0
    assert settle(order).payment_status == PaymentStatus.PAID
    assert audit() == (0, [])


@pytest.mark.parametrize("way", ["row", "forged"])
def test_an_order_that_is_paid_without_a_charge_is_found(placer: OrderPlacer, way: str) -> None:
    order = place_with_token(placer)
    if way == "row":
        Order.objects.filter(id=order.id).update(payment_status=PaymentStatus.PAID)
    else:
        record(taken(order, payment_id="pi_that_does_not_exist"))
    code, [line] = audit("--repair")
    assert code == 1
    assert line.startswith(f"order {order.id}: {order.order_number} counts as paid by")


def test_an_order_that_names_the_payment_of_another_is_found(placer: OrderPlacer) -> None:
    other, order = paid(placer), place_with_token(placer)
    record(taken(order, payment_id=str(now(other).payment_reference)))
    code, [line] = audit()
    assert code == 1
    assert line.startswith(f"order {order.id}:")


def test_a_refund_too_few_is_found_and_given_back_once(placer: OrderPlacer) -> None:
    order = paid(placer)
    refund_order(order_id=order.id, amount=None, reason="Broken.", idempotency_key="", origin=STAFF)
    Refund.objects.filter(order_id=order.id).update(state=Refund.State.SUCCEEDED, refund_id="re_of_nobody")
    code, [line] = audit()
    assert code == 1
    assert "12.50 USD must go back and 0.00 USD did" in line
    assert audit("--repair")[0] == 0
    assert audit("--repair") == (0, [])
    assert returned_for(order) == 1250


def test_money_kept_for_a_cancelled_order_is_asked_back_by_the_order(placer: OrderPlacer) -> None:
    order = paid(placer)
    cancel(order)
    [request] = refunds_asked(order)
    failure = PaymentFailure("declined", "The bank did not take it.")
    record_refund_failure(order_id=order.id, refund=request.refund, failure=failure, origin=STAFF)
    assert audit()[0] == 1
    assert audit("--repair")[0] == 0
    # It is on its way, so that neither another audit nor another repair says anything.
    assert audit("--repair") == (0, [])
    settle(order)
    assert returned_for(order) == 1250
    assert audit() == (0, [])


def test_a_refund_that_nobody_asked_for_is_found_and_left_to_people(placer: OrderPlacer) -> None:
    order = refunded(placer)
    [payment] = payments_for(order)
    give_back_by_hand(payment, 100)
    code, [line] = audit("--repair")
    assert code == 1
    assert "3.50 USD went back" in line
    assert "knows of 2.50 USD" in line


def test_a_charge_of_an_attempt_that_the_order_has_forgotten_pays_it(placer: OrderPlacer) -> None:
    order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
    total = to_minor_units(order.total_amount, order.currency)
    charge_by_hand(str(order.id), attempt=2, amount=total)
    assert audit("--repair")[0] == 0
    paid_by_it = settle(order)
    assert (paid_by_it.payment_status, paid_by_it.payment_attempts) == (PaymentStatus.PAID, 2)
    assert paid_by_it.status == OrderStatus.PROCESSING
    assert returned_for(order) == 0
    assert audit() == (0, [])


def test_a_charge_of_another_amount_than_a_forgetful_order_costs_goes_back(placer: OrderPlacer) -> None:
    order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
    charge_by_hand(str(order.id), attempt=1, amount=1)
    assert audit("--repair")[0] == 0
    assert returned_for(order) == 1
    assert settle(order).payment_attempts == 0
    assert audit() == (0, [])


def test_an_order_that_has_forgotten_that_its_money_went_back_is_cancelled(placer: OrderPlacer) -> None:
    order = paid(placer)
    forgotten_refund(order, 1250)
    code, [line] = audit()
    assert code == 1
    assert "12.50 USD went back" in line
    assert audit("--repair")[0] == 0
    cancelled_since = now(order)
    assert cancelled_since.status == OrderStatus.CANCELLED
    assert cancelled_since.payment_status == PaymentStatus.REFUNDED
    assert settle(order).version == cancelled_since.version
    assert returned_for(order) == 1250
    assert audit() == (0, [])


def test_a_forgotten_refund_of_a_part_is_recorded_once_and_the_order_goes_on(placer: OrderPlacer) -> None:
    order = refunded(placer)
    forgotten_refund(order, 100)
    assert audit("--repair")[0] == 0
    assert audit("--repair") == (0, [])
    assert settle(order).status == OrderStatus.PROCESSING
    assert now(order).refunded_amount == Decimal("3.50")


def test_an_order_that_has_forgotten_both_charge_and_refund_ends_cancelled(placer: OrderPlacer) -> None:
    order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
    total = to_minor_units(order.total_amount, order.currency)
    charge_by_hand(str(order.id), attempt=1, amount=total)
    forgotten_refund(order, total)
    assert audit()[0] == 1
    assert audit("--repair")[0] == 0
    settle(order)
    assert audit("--repair")[0] == 0
    assert settle(order).status == OrderStatus.CANCELLED
    assert returned_for(order) == total
    assert audit() == (0, [])


def forgotten_refund(order: OrderDocument, amount: int) -> None:
    """A refund as the payment service makes it, of which the restored order knows nothing."""
    [payment] = payments_for(order)
    request = RefundOrder(
        key=f"{order.id}:refund:99",
        payment_id=payment.id,
        amount=amount,
        currency=payment.currency,
        order_id=str(order.id),
        order_number=order.order_number,
        number="99",
        sent_at=datetime.now(UTC),
    )
    gateway().refund(request)


def test_a_repair_that_was_killed_after_the_refund_gives_nothing_a_second_time(
    placer: OrderPlacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge = charge_by_hand()
    refund_at_gateway = type(gateway()).refund

    def killed(self: Any, order: Any) -> Any:
        refund_at_gateway(self, order)
        raise KeyboardInterrupt

    monkeypatch.setattr(type(gateway()), "refund", killed)
    with pytest.raises(KeyboardInterrupt):
        audit("--repair")
    monkeypatch.undo()
    assert audit("--repair") == (0, [])
    assert [each.amount for each in gateway().refunds(charge.id)] == [700]


def test_only_one_audit_repairs_at_a_time(placer: OrderPlacer) -> None:
    def hold_the_lock() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(91, 3)")
        with pytest.raises(CommandError, match="another audit of payments repairs now"):
            run_beside(lambda: call_command("audit_payments", "--repair"))

    run_beside(hold_the_lock)


def test_books_of_another_installation_are_not_repaired(placer: OrderPlacer) -> None:
    charges = [charge_by_hand(str(uuid4())) for _ in range(11)]
    with pytest.raises(CommandError, match=r"belong together\. Nothing was repaired"):
        call_command("audit_payments", "--repair")
    assert [each for charge in charges for each in gateway().refunds(charge.id)] == []


def test_many_charges_that_were_tried_by_hand_go_back(placer: OrderPlacer) -> None:
    charges = [charge_by_hand() for _ in range(11)]
    assert audit("--repair")[0] == 0
    assert [each.amount for charge in charges for each in gateway().refunds(charge.id)] == [700] * 11


def test_an_order_whose_row_was_changed_by_hand_is_to_be_rebuilt_before_money_goes_back(
    placer: OrderPlacer,
) -> None:
    order = paid(placer)
    Order.objects.filter(id=order.id).update(payment_status=PaymentStatus.PENDING, payment_reference=None)
    code, [line] = audit("--repair")
    assert code == 1
    assert "`replay_orders` shows it" in line
    assert returned_for(order) == 0


def test_the_metric_is_what_the_last_audit_left(placer: OrderPlacer) -> None:
    charge_by_hand()
    audit()
    update_payment_differences()
    assert next(iter(PAYMENT_DIFFERENCES.collect())).samples[0].value == 1
    audit("--repair")
    update_payment_differences()
    assert next(iter(PAYMENT_DIFFERENCES.collect())).samples[0].value == 0
    assert LastPaymentAudit.objects.get().differences == 0
