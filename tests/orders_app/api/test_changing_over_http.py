"""PATCH and DELETE of one order: what each may change, when, and what is said when it may not."""

from typing import Any

import pytest

from orders_app.document import OrderDocument
from orders_app.state_machine import OrderStatus
from tests.orders_app.api.people import ADDRESS, Person, attributes, codes
from tests.orders_app.ordering import Desk, all_that_is_stored, last_event

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSING, SHIPPED, DELIVERED = OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED
OTHER = ADDRESS | {"street": "2 Bridge St"}
TRACE_PARENT = "00-11111111111111111111111111111111-2222222222222222-01"


def refuse(person: Person, method: str, path: str, body: object = None) -> Any:
    """An answer that refuses, with nothing changed."""
    before = all_that_is_stored()
    response = person.ask(method, path, body)
    assert response.status_code >= 400, response.content
    assert all_that_is_stored() == before
    return response


def url(order: OrderDocument, tail: str = "") -> str:
    return f"orders/{order.id}/{tail}"


def test_the_owner_corrects_the_address_while_the_order_is_pending(desk: Desk, customer: Person) -> None:
    order = desk.place()
    response = customer.ask("PATCH", url(order), {"shippingAddress": OTHER}, {"traceparent": TRACE_PARENT})
    assert (response.status_code, response.json()["shippingAddress"]) == (200, OTHER)
    assert response.json()["version"] == 2
    event = last_event(order)
    assert (event.actor, event.trace_parent) == (f"customer:{desk.user_id}", TRACE_PARENT)


def test_nobody_corrects_the_address_after_that(desk: Desk, customer: Person, staff: Person) -> None:
    order = desk.place_in(PROCESSING)
    for person in (customer, staff):
        response = refuse(person, "PATCH", url(order), {"shippingAddress": OTHER})
        assert (response.status_code, codes(response)) == (409, ["order_not_editable"])


def test_a_customer_who_sets_another_field_is_told_which(
    desk: Desk, customer: Person, subtests: pytest.Subtests
) -> None:
    order = desk.place()
    for field in ("trackingNumber", "status", "totalAmount", "items", "userId", "version"):
        with subtests.test(field):
            response = refuse(customer, "PATCH", url(order), {"shippingAddress": OTHER, field: "1"})
            assert (response.status_code, attributes(response)) == (400, [field])
            assert codes(response) == ["not_allowed"]


def test_staff_set_the_tracking_number_until_the_end(desk: Desk, staff: Person) -> None:
    order = desk.place_in(PROCESSING, SHIPPED)
    response = staff.ask("PATCH", url(order), {"trackingNumber": "1Z 999"})
    assert (response.status_code, response.json()["trackingNumber"]) == (200, "1Z 999")
    assert last_event(order).actor == f"staff:{staff.user_id}"
    done = desk.place_in(PROCESSING, SHIPPED, DELIVERED)
    assert refuse(staff, "PATCH", url(done), {"trackingNumber": "1Z 999"}).status_code == 409


REFUSED_EDITS: list[tuple[object, str]] = [
    ({"shippingAddress": {"street": "x"}}, "shippingAddress.city"),
    ({"shippingAddress": None}, "shippingAddress"),
    ({"shippingAddress": OTHER | {"zipCode": " "}}, "shippingAddress.zipCode"),
    ({"trackingNumber": ""}, "trackingNumber"),
    ({"trackingNumber": "x" * 101}, "trackingNumber"),
    ({"status": 2}, "status"),
    ([], "non_field_errors"),
]


def test_staff_edit_only_with_values_that_can_be(
    desk: Desk, staff: Person, subtests: pytest.Subtests
) -> None:
    order = desk.place()
    for body, attribute in REFUSED_EDITS:
        with subtests.test(str(body)):
            response = refuse(staff, "PATCH", url(order), body)
            assert (response.status_code, attributes(response)) == (400, [attribute])


def test_an_edit_of_nothing_changes_nothing(desk: Desk, customer: Person) -> None:
    order = desk.place()
    before = all_that_is_stored()
    for body in ({}, {"shippingAddress": ADDRESS}):
        assert customer.ask("PATCH", url(order), body).json()["version"] == 1
    assert all_that_is_stored() == before


def test_an_order_is_cancelled_for_a_reason(desk: Desk, customer: Person, staff: Person) -> None:
    def reason(person: Person, body: object) -> Any:
        response = person.ask("PATCH", url(desk.place(), "cancel/"), body)
        assert (response.status_code, response.json()["status"]) == (200, 5)
        return response.json()["cancelReason"]

    usual = {"code": "CUSTOMER_REQUEST", "detail": "Cancelled at the customer's request."}
    assert reason(customer, None) == reason(customer, {"reason": "  "}) == usual
    assert reason(customer, {"reason": "Too late"}) == {"code": "CUSTOMER_REQUEST", "detail": "Too late"}
    assert reason(staff, {"reason": "Lost"}) == {"code": "STAFF_REQUEST", "detail": "Lost"}


def test_an_order_at_its_end_is_not_cancelled(desk: Desk, customer: Person) -> None:
    order = desk.place_in(PROCESSING, SHIPPED, DELIVERED)
    response = refuse(customer, "PATCH", url(order, "cancel/"))
    assert (response.status_code, codes(response)) == (409, ["transition_not_allowed"])
    assert response.json()["allowedTransitions"] == []


def test_a_reason_that_is_no_text_is_refused(desk: Desk, customer: Person) -> None:
    order = desk.place()
    for reason in (5, None, "x" * 501, "\x00"):
        response = refuse(customer, "PATCH", url(order, "cancel/"), {"reason": reason})
        assert (response.status_code, attributes(response)) == (400, ["reason"])


def test_staff_take_an_order_through_its_steps(desk: Desk, staff: Person) -> None:
    order = desk.place()
    for status in (2, 3, 4):
        response = staff.ask("PATCH", url(order, "status/"), {"status": status})
        assert (response.status_code, response.json()["status"]) == (200, status)
    assert response.json()["deliveredAt"]


def test_a_step_that_cannot_be_is_a_409_with_the_ones_that_can(desk: Desk, staff: Person) -> None:
    order = desk.place()
    for wanted in (1, 3, 4):
        response = refuse(staff, "PATCH", url(order, "status/"), {"status": wanted})
        assert response.status_code == 409
        assert response.json()["allowedTransitions"] == [2, 5]
        assert response.json()["type"] == "client_error"
        assert "Processing (2) or Cancelled (5)" in response.json()["errors"][0]["detail"]


def test_a_status_that_is_none_is_a_400(desk: Desk, staff: Person, subtests: pytest.Subtests) -> None:
    order = desk.place()
    for status in (0, 6, "2", 2.0, True, None):
        with subtests.test(repr(status)):
            response = refuse(staff, "PATCH", url(order, "status/"), {"status": status})
            assert (response.status_code, attributes(response)) == (400, ["status"])


def test_an_order_under_way_is_not_deleted(desk: Desk, staff: Person) -> None:
    for path in ((), (PROCESSING,), (PROCESSING, SHIPPED)):
        response = refuse(staff, "DELETE", url(desk.place_in(*path)))
        assert (response.status_code, codes(response)) == (422, ["order_not_deletable"])


def test_staff_delete_an_order_that_has_come_to_its_end(desk: Desk, staff: Person) -> None:
    for path in ((OrderStatus.CANCELLED,), (PROCESSING, SHIPPED, DELIVERED)):
        order = desk.place_in(*path)
        assert staff.ask("DELETE", url(order)).status_code == 204
        assert staff.ask("GET", url(order)).status_code == 404
        assert last_event(order).type == "order.deleted"
