"""An order goes on without its stock or payment only by an override, which its history tells."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from orders_app import event_log
from orders_app.document import OrderDocument
from orders_app.event_effects import kafka_values
from orders_app.services.change_order import mark_paid
from orders_app.state_machine import OrderStatus, PaymentMethod, PaymentStatus, StockStatus
from tests.orders_app.api.api_users import ApiUser, attributes, codes
from tests.orders_app.ordering import (
    STAFF,
    OrderPlacer,
    all_that_is_stored,
    answer,
    events,
    last_event,
    now,
    rejected,
    reserved,
    state,
)

pytestmark = pytest.mark.django_db(transaction=True)
PENDING, PROCESSING, SHIPPED = OrderStatus.PENDING, OrderStatus.PROCESSING, OrderStatus.SHIPPED
DELIVERED, CANCELLED = OrderStatus.DELIVERED, OrderStatus.CANCELLED
REASON = "The customer waits at the counter."
OVERRIDE = {"override": True, "reason": REASON}


@pytest.fixture
def admin(transactional_db: None) -> ApiUser:
    """A superuser, who has every right."""
    return ApiUser(User.objects.create_superuser("ada").pk, is_staff=True)


def set_status(user: ApiUser, order: OrderDocument, status: OrderStatus, **more: object) -> Any:
    return user.request("PATCH", f"orders/{order.id}/status/", {"status": int(status)} | more)


def assert_refused(
    code: str, user: ApiUser, order: OrderDocument, status: OrderStatus, **more: object
) -> Any:
    before = all_that_is_stored()
    response = set_status(user, order, status, **more)
    assert (response.status_code, codes(response)) == (409, [code]), response.content
    assert all_that_is_stored() == before
    return response


def override_of(user: ApiUser, order: OrderDocument) -> Any:
    return user.request("GET", f"orders/{order.id}/history/").json()["results"][-1].get("override")


@pytest.mark.parametrize("method", [PaymentMethod.CASH_ON_DELIVERY, PaymentMethod.STRIPE])
def test_an_order_without_its_stock_is_stock_pending(
    placer: OrderPlacer, staff: ApiUser, admin: ApiUser, method: PaymentMethod
) -> None:
    order = placer.place(method)
    response = assert_refused("stock_pending", staff, order, PROCESSING)
    assert "override_checks" in response.json()["errors"][0]["detail"]
    assert_refused("stock_pending", admin, order, PROCESSING)


def test_an_order_without_its_payment_is_payment_pending(placer: OrderPlacer, staff: ApiUser) -> None:
    order = placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD)
    assert_refused("payment_pending", staff, order, PROCESSING)
    mark_paid(order_id=order.id, origin=STAFF)
    assert set_status(staff, order, SHIPPED).status_code == 200


def test_a_transition_that_does_not_exist_is_refused_as_such(placer: OrderPlacer, admin: ApiUser) -> None:
    order = placer.place()
    for status in (SHIPPED, DELIVERED):
        response = assert_refused("transition_not_allowed", admin, order, status, **OVERRIDE)
        assert response.json()["allowedTransitions"] == [2, 5]


def test_an_override_lets_the_order_go_on_and_the_history_tells_it(
    placer: OrderPlacer, admin: ApiUser, customer: ApiUser
) -> None:
    order = placer.place(PaymentMethod.STRIPE)
    response = set_status(admin, order, PROCESSING, override=True, reason=f"  {REASON}  ")
    assert (response.status_code, response.json()["status"]) == (200, 2)
    assert (response.json()["stockStatus"], response.json()["paymentStatus"]) == ("pending", 1)
    assert override_of(admin, order) == {"reason": REASON, "without": ["stock", "payment"]}
    assert last_event(order).actor == f"staff:{admin.user_id}"
    assert override_of(customer, order) is None
    for path in (f"orders/{order.id}/history/", f"orders/{order.id}/"):
        assert REASON not in customer.request("GET", path).content.decode()
    [message] = kafka_values(last_event(order))
    assert REASON not in str(message)


def test_each_step_without_stock_needs_an_override_until_the_order_is_delivered(
    placer: OrderPlacer, admin: ApiUser
) -> None:
    order = placer.place()
    assert set_status(admin, order, PROCESSING, **OVERRIDE).status_code == 200
    assert_refused("stock_pending", admin, order, SHIPPED)
    assert set_status(admin, order, SHIPPED, **OVERRIDE).status_code == 200
    assert override_of(admin, order) == {"reason": REASON, "without": ["stock"]}
    assert set_status(admin, order, DELIVERED).status_code == 200
    assert override_of(admin, order) is None


def test_an_override_needs_the_right(placer: OrderPlacer, staff: ApiUser) -> None:
    order = placer.place()
    assert_refused("stock_pending", staff, order, PROCESSING, **OVERRIDE)
    sam = User.objects.get(username="sam")
    sam.user_permissions.add(Permission.objects.get(codename="override_checks"))
    User.objects.filter(pk=sam.pk).update(is_active=False)
    assert_refused("stock_pending", staff, order, PROCESSING, **OVERRIDE)
    User.objects.filter(pk=sam.pk).update(is_active=True)
    assert set_status(staff, order, PROCESSING, **OVERRIDE).status_code == 200


def test_an_override_needs_a_reason(placer: OrderPlacer, admin: ApiUser) -> None:
    order = placer.place()
    before = all_that_is_stored()
    bodies: list[dict[str, object]] = [{"override": True}, {"override": True, "reason": " \n "}]
    for body in bodies:
        response = set_status(admin, order, PROCESSING, **body)
        assert (response.status_code, attributes(response)) == (400, ["reason"])
    bodies = [{"override": "yes", "reason": REASON}, {"override": True, "reason": "x" * 501}]
    for body in bodies:
        assert set_status(admin, order, PROCESSING, **body).status_code == 400
    assert all_that_is_stored() == before
    assert_refused("stock_pending", admin, order, PROCESSING, reason=REASON)
    assert_refused("stock_pending", admin, order, PROCESSING, override=False, reason=REASON)


def test_an_override_that_is_not_needed_is_not_told(placer: OrderPlacer, admin: ApiUser) -> None:
    order = placer.place_reserved()
    assert set_status(admin, order, SHIPPED, **OVERRIDE).status_code == 200
    assert override_of(admin, order) is None


def test_a_cancellation_needs_no_override(placer: OrderPlacer, staff: ApiUser) -> None:
    assert set_status(staff, placer.place(), CANCELLED).status_code == 200


def test_an_order_that_was_rejected_after_an_override_goes_on_by_override_alone(
    placer: OrderPlacer, admin: ApiUser
) -> None:
    order = placer.place()
    set_status(admin, order, PROCESSING, **OVERRIDE)
    answer(rejected(order))
    assert state(order) == (PROCESSING, StockStatus.REJECTED)
    assert_refused("stock_pending", admin, order, SHIPPED)
    assert set_status(admin, order, SHIPPED, **OVERRIDE).status_code == 200


def test_stock_that_is_reserved_after_an_override_makes_further_overrides_needless(
    placer: OrderPlacer, admin: ApiUser
) -> None:
    order = placer.place()
    set_status(admin, order, PROCESSING, **OVERRIDE)
    answer(reserved(order))
    assert set_status(admin, order, SHIPPED).status_code == 200


@pytest.mark.parametrize("method", sorted(set(PaymentMethod) - {PaymentMethod.CASH_ON_DELIVERY}))
def test_an_order_with_nothing_to_pay_is_paid_and_processed_when_its_stock_is_reserved(
    placer: OrderPlacer, method: PaymentMethod
) -> None:
    free = placer.place_free(method)
    assert (free.status, free.payment_status) == (PENDING, PaymentStatus.PENDING)
    answer(reserved(free))
    assert (now(free).status, now(free).payment_status) == (PROCESSING, PaymentStatus.PAID)
    assert events(free) == ["order.confirmed", "order.payment", "order.status.changed"]


def test_an_order_with_nothing_to_pay_waits_for_its_stock_alone(placer: OrderPlacer, staff: ApiUser) -> None:
    free = placer.place_free(PaymentMethod.STRIPE)
    assert_refused("stock_pending", staff, free, PROCESSING)


def test_cash_on_delivery_with_nothing_to_pay_is_paid_when_delivered(
    placer: OrderPlacer, staff: ApiUser
) -> None:
    free = placer.place_free()
    answer(reserved(free))
    assert (now(free).status, now(free).payment_status) == (PROCESSING, PaymentStatus.PENDING)
    for status in (SHIPPED, DELIVERED):
        assert set_status(staff, free, status).status_code == 200
    assert now(free).payment_status == PaymentStatus.PAID
    assert [event.type for event in event_log.history(free.id)][-1] == "order.payment"
