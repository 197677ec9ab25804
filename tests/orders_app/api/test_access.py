"""The orders that a caller may see; tests/web has the table of all routes and callers."""

from typing import Any

import pytest

from tests.orders_app.api.api_users import ADDRESS, ApiUser, codes
from tests.orders_app.ordering import OrderPlacer

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


def test_a_missing_order_is_a_404_for_staff_too(staff: ApiUser) -> None:
    for method, path, body in ROUTES.values():
        for order_id in (UNKNOWN, "no-uuid", "0", "%00") if "{id}" in path else ():
            response = staff.request(method, path.format(id=order_id), body)
            assert (response.status_code, codes(response)) == (404, ["not_found"]), (method, path, order_id)


def test_an_order_of_another_customer_is_answered_like_a_missing_one(
    placer: OrderPlacer, other: ApiUser, transactional_db: None
) -> None:
    order = placer.place()

    def answer(order_id: object) -> Any:
        response = other.request("GET", f"orders/{order_id}/")
        return response.status_code, response.content.replace(str(order_id).encode(), b"")

    assert answer(order.id) == answer(UNKNOWN)


def test_a_customer_lists_only_their_own_orders_and_staff_list_all(
    placer: OrderPlacer, customer: ApiUser, other: ApiUser, staff: ApiUser
) -> None:
    order = placer.place()

    def listed(user: ApiUser) -> list[str]:
        return [row["id"] for row in user.request("GET", "orders/").json()["results"]]

    assert listed(customer) == listed(staff) == [str(order.id)]
    assert listed(other) == []


def test_a_user_that_does_not_exist_has_no_orders(staff: ApiUser, other: ApiUser) -> None:
    for user_id in ("99999999", "9" * 30):
        assert staff.request("GET", f"orders/user/{user_id}/").json()["results"] == []
        assert other.request("GET", f"orders/user/{user_id}/").status_code == 403
