"""Every route for everybody: who is answered how, and that a refusal changes nothing."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests.orders_app.api.people import ADDRESS, Person, codes, order_body
from tests.orders_app.ordering import Desk, all_that_is_stored

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN = "018f4d3e-0000-7000-8000-000000000000"
ROUTES: dict[str, tuple[str, str, object]] = {
    "list": ("GET", "orders/", None),
    "retrieve": ("GET", "orders/{id}/", None),
    "history": ("GET", "orders/{id}/history/", None),
    "of user": ("GET", "orders/user/{user}/", None),
    "statuses": ("GET", "orders/statuses/", None),
    "edit": ("PATCH", "orders/{id}/", {"shippingAddress": ADDRESS | {"city": "Lee"}}),
    "cancel": ("PATCH", "orders/{id}/cancel/", None),
    "move": ("PATCH", "orders/{id}/status/", {"status": 2}),
    "delete": ("DELETE", "orders/{id}/", None),
}
#                     anonymous, owner, other, staff
ANSWERS: dict[str, tuple[int, int, int, int]] = {
    "list": (401, 200, 200, 200),
    "retrieve": (401, 200, 404, 200),
    "history": (401, 200, 404, 200),
    "of user": (401, 200, 403, 200),
    "statuses": (200, 200, 200, 200),
    "edit": (401, 200, 404, 200),
    "cancel": (401, 200, 404, 200),
    "move": (401, 403, 403, 200),
    "delete": (401, 403, 403, 422),
}


@pytest.fixture
def people(anonymous: Person, customer: Person, other: Person, staff: Person) -> list[Person]:
    """In the order of the table."""
    return [anonymous, customer, other, staff]


@pytest.mark.parametrize("route", ROUTES)
def test_each_route_answers_each_role_as_agreed(route: str, desk: Desk, people: list[Person]) -> None:
    method, path, body = ROUTES[route]
    for person, expected in zip(people, ANSWERS[route], strict=True):
        path_of_order = path.format(id=desk.place().id, user=desk.user_id)
        before = all_that_is_stored()
        response = person.ask(method, path_of_order, body)
        assert response.status_code == expected, response.content
        changes = method != "GET" and expected < 400
        assert (all_that_is_stored() != before) is changes
        if expected == 401:
            assert response["WWW-Authenticate"].startswith("Bearer")


def test_only_somebody_with_a_token_can_place_an_order(
    desk: Desk, anonymous: Person, customer: Person, staff: Person
) -> None:
    body = order_body((desk.catalogue.add(), 1))
    before = all_that_is_stored()
    assert anonymous.ask("POST", "orders/", body).status_code == 401
    assert all_that_is_stored() == before
    assert customer.ask("POST", "orders/", body).status_code == 201
    assert staff.ask("POST", "orders/", body).status_code == 201


def test_an_order_that_is_not_there_is_a_404_for_staff_too(staff: Person) -> None:
    for method, path, body in ROUTES.values():
        for order_id in (UNKNOWN, "no-uuid", "0", "%00") if "{id}" in path else ():
            response = staff.ask(method, path.format(id=order_id), body)
            assert (response.status_code, codes(response)) == (404, ["not_found"]), (method, path, order_id)


def test_another_customers_order_is_answered_like_none_at_all(
    desk: Desk, other: Person, transactional_db: None
) -> None:
    order = desk.place()

    def answer(order_id: object) -> Any:
        response = other.ask("GET", f"orders/{order_id}/")
        return response.status_code, response.content.replace(str(order_id).encode(), b"")

    assert answer(order.id) == answer(UNKNOWN)


def test_a_customer_lists_only_their_own_orders_and_staff_list_all(
    desk: Desk, customer: Person, other: Person, staff: Person
) -> None:
    order = desk.place()

    def listed(person: Person) -> list[str]:
        return [row["id"] for row in person.ask("GET", "orders/").json()["results"]]

    assert listed(customer) == listed(staff) == [str(order.id)]
    assert listed(other) == []


def test_a_user_who_does_not_exist_has_no_orders(staff: Person, other: Person) -> None:
    for user_id in ("99999999", "9" * 30):
        assert staff.ask("GET", f"orders/user/{user_id}/").json()["results"] == []
        assert other.ask("GET", f"orders/user/{user_id}/").status_code == 403


def test_the_session_of_a_browser_serves_too_but_writes_only_with_its_csrf_token(desk: Desk) -> None:
    order = desk.place()
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(User.objects.get(pk=desk.user_id))
    assert client.get(f"/api/v1/orders/{order.id}/").status_code == 200
    before = all_that_is_stored()
    assert client.patch(f"/api/v1/orders/{order.id}/cancel/").status_code == 403
    assert all_that_is_stored() == before
