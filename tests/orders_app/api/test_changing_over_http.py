"""PATCH and DELETE of one order: the changes that each caller may make, and the refusals."""

from typing import Any

import pytest

from orders_app.document import OrderDocument
from orders_app.state_machine import OrderStatus
from tests.orders_app.api.api_users import ADDRESS, ApiUser, attributes, codes
from tests.orders_app.ordering import OrderPlacer, all_that_is_stored, last_event

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSING, SHIPPED, DELIVERED = OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED
OTHER = ADDRESS | {"street": "2 Bridge St"}
TRACE_PARENT = "00-11111111111111111111111111111111-2222222222222222-01"


def refuse(user: ApiUser, method: str, path: str, body: object = None) -> Any:
    """Sends a request that must be refused; checks that nothing has changed and returns the answer."""
    before = all_that_is_stored()
    response = user.request(method, path, body)
    assert response.status_code >= 400, response.content
    assert all_that_is_stored() == before
    return response


def url(order: OrderDocument, tail: str = "") -> str:
    return f"orders/{order.id}/{tail}"


def test_the_owner_corrects_the_address_while_the_order_is_pending(
    placer: OrderPlacer, customer: ApiUser
) -> None:
    order = placer.place()
    response = customer.request(
        "PATCH", url(order), {"shippingAddress": OTHER}, {"traceparent": TRACE_PARENT}
    )
    assert (response.status_code, response.json()["shippingAddress"]) == (200, OTHER)
    assert response.json()["version"] == 2
    event = last_event(order)
    assert (event.actor, event.trace_parent) == (f"customer:{placer.user_id}", TRACE_PARENT)


def test_the_address_of_an_order_that_is_not_pending_cannot_be_corrected(
    placer: OrderPlacer, customer: ApiUser, staff: ApiUser
) -> None:
    order = placer.place_and_move(PROCESSING)
    for user in (customer, staff):
        response = refuse(user, "PATCH", url(order), {"shippingAddress": OTHER})
        assert (response.status_code, codes(response)) == (409, ["order_not_editable"])


def test_a_customer_who_sets_another_field_gets_an_error_that_names_it(
    placer: OrderPlacer, customer: ApiUser, subtests: pytest.Subtests
) -> None:
    order = placer.place()
    for field in ("trackingNumber", "status", "totalAmount", "items", "userId", "version"):
        with subtests.test(field):
            response = refuse(customer, "PATCH", url(order), {"shippingAddress": OTHER, field: "1"})
            assert (response.status_code, attributes(response)) == (400, [field])
            assert codes(response) == ["not_allowed"]


def test_staff_set_the_tracking_number_until_the_order_is_final(placer: OrderPlacer, staff: ApiUser) -> None:
    order = placer.place_and_move(PROCESSING, SHIPPED)
    response = staff.request("PATCH", url(order), {"trackingNumber": "1Z 999"})
    assert (response.status_code, response.json()["trackingNumber"]) == (200, "1Z 999")
    assert last_event(order).actor == f"staff:{staff.user_id}"
    done = placer.place_and_move(PROCESSING, SHIPPED, DELIVERED)
    assert refuse(staff, "PATCH", url(done), {"trackingNumber": "1Z 999"}).status_code == 409


@pytest.mark.parametrize("nothing", ["", None, " "])
def test_staff_take_a_tracking_number_back(placer: OrderPlacer, staff: ApiUser, nothing: str | None) -> None:
    order = placer.place_and_move(PROCESSING, SHIPPED)
    staff.request("PATCH", url(order), {"trackingNumber": "1Z 999"})
    response = staff.request("PATCH", url(order), {"trackingNumber": nothing})
    assert (response.status_code, response.json()["trackingNumber"]) == (200, None)
    last = staff.request("GET", url(order, "history/")).json()["results"][-1]
    assert last["changes"] == {"trackingNumber": {"from": "1Z 999", "to": None}}
    before = all_that_is_stored()
    assert staff.request("PATCH", url(order), {"trackingNumber": nothing}).status_code == 200
    assert all_that_is_stored() == before


REFUSED_EDITS: list[tuple[object, str]] = [
    ({"shippingAddress": {"street": "x", "city": "Lee"}}, "shippingAddress.country"),
    ({"shippingAddress": None}, "shippingAddress"),
    ({"shippingAddress": OTHER | {"city": " "}}, "shippingAddress.city"),
    ({"shippingAddress": OTHER | {"zipCode": "1\n2"}}, "shippingAddress.zipCode"),
    ({"shippingAddress": OTHER | {"state": "MA\n"}}, "shippingAddress.state"),
    ({"shippingAddress": OTHER | {"street": "12 Mill Lane\n"}}, "shippingAddress.street"),
    ({"trackingNumber": 5}, "trackingNumber"),
    ({"trackingNumber": "x" * 101}, "trackingNumber"),
    ({"status": 2}, "status"),
    ([], "non_field_errors"),
]


def test_staff_edit_only_with_valid_values(
    placer: OrderPlacer, staff: ApiUser, subtests: pytest.Subtests
) -> None:
    order = placer.place()
    for body, attribute in REFUSED_EDITS:
        with subtests.test(str(body)):
            response = refuse(staff, "PATCH", url(order), body)
            assert (response.status_code, attributes(response)) == (400, [attribute])


def test_an_edit_without_fields_changes_nothing(placer: OrderPlacer, customer: ApiUser) -> None:
    order = placer.place()
    before = all_that_is_stored()
    for body in ({}, {"shippingAddress": ADDRESS}):
        assert customer.request("PATCH", url(order), body).json()["version"] == 1
    assert all_that_is_stored() == before


def test_an_order_is_cancelled_with_a_reason(placer: OrderPlacer, customer: ApiUser, staff: ApiUser) -> None:
    def reason(user: ApiUser, body: object) -> Any:
        response = user.request("PATCH", url(placer.place(), "cancel/"), body)
        assert (response.status_code, response.json()["status"]) == (200, 5)
        return response.json()["cancelReason"]

    usual = {"code": "CUSTOMER_REQUEST", "detail": "Cancelled at the customer's request."}
    assert reason(customer, None) == reason(customer, {"reason": "  "}) == usual
    assert reason(customer, {"reason": "Too late"}) == {"code": "CUSTOMER_REQUEST", "detail": "Too late"}
    assert reason(staff, {"reason": "Lost"}) == {"code": "STAFF_REQUEST", "detail": "Lost"}


def test_a_final_order_cannot_be_cancelled(placer: OrderPlacer, customer: ApiUser) -> None:
    order = placer.place_and_move(PROCESSING, SHIPPED, DELIVERED)
    response = refuse(customer, "PATCH", url(order, "cancel/"))
    assert (response.status_code, codes(response)) == (409, ["transition_not_allowed"])
    assert response.json()["allowedTransitions"] == []


def test_a_reason_that_is_not_text_is_refused(placer: OrderPlacer, customer: ApiUser) -> None:
    order = placer.place()
    for reason in (5, None, "x" * 501, "\x00"):
        response = refuse(customer, "PATCH", url(order, "cancel/"), {"reason": reason})
        assert (response.status_code, attributes(response)) == (400, ["reason"])


def test_staff_take_an_order_through_its_statuses(placer: OrderPlacer, staff: ApiUser) -> None:
    order = placer.place_reserved()
    for status in (3, 4):
        response = staff.request("PATCH", url(order, "status/"), {"status": status})
        assert (response.status_code, response.json()["status"]) == (200, status)
    assert response.json()["deliveredAt"]


def test_a_forbidden_transition_is_a_409_with_the_possible_ones(placer: OrderPlacer, staff: ApiUser) -> None:
    order = placer.place()
    for wanted in (1, 3, 4):
        response = refuse(staff, "PATCH", url(order, "status/"), {"status": wanted})
        assert response.status_code == 409
        assert response.json()["allowedTransitions"] == [2, 5]
        assert response.json()["type"] == "client_error"
        assert "Processing (2) or Cancelled (5)" in response.json()["errors"][0]["detail"]


def test_an_unknown_status_is_a_400(placer: OrderPlacer, staff: ApiUser, subtests: pytest.Subtests) -> None:
    order = placer.place()
    for status in (0, 6, "2", 2.0, True, None):
        with subtests.test(repr(status)):
            response = refuse(staff, "PATCH", url(order, "status/"), {"status": status})
            assert (response.status_code, attributes(response)) == (400, ["status"])


def test_an_order_that_is_not_final_is_not_deleted(placer: OrderPlacer, staff: ApiUser) -> None:
    for path in ((), (PROCESSING,), (PROCESSING, SHIPPED)):
        response = refuse(staff, "DELETE", url(placer.place_and_move(*path)))
        assert (response.status_code, codes(response)) == (422, ["order_not_deletable"])


def test_staff_delete_a_final_order(placer: OrderPlacer, staff: ApiUser) -> None:
    for path in ((OrderStatus.CANCELLED,), (PROCESSING, SHIPPED, DELIVERED)):
        order = placer.place_and_move(*path)
        assert staff.request("DELETE", url(order)).status_code == 204
        assert staff.request("GET", url(order)).status_code == 404
        assert last_event(order).type == "order.deleted"
