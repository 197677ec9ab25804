"""All spellings of a path are one route: ids in capitals or without dashes, the last slash or none."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from orders_app.api.views import OrderViewSet
from orders_app.models import Order
from tests.adapters import TO_THE_VIEW, content_of, note_dispatches
from tests.orders_app.api.api_users import ADDRESS, ApiUser, codes, order_body
from tests.orders_app.ordering import OrderPlacer
from tests.products_app.api.callers import service
from tests.products_app.product_stock import stocked
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_order_is_the_same_by_every_spelling_of_its_id(placer: OrderPlacer, customer: ApiUser) -> None:
    order_id = placer.place().id
    usual = customer.request("GET", f"orders/{order_id}/").json()
    for spelling in (str(order_id).upper(), order_id.hex, order_id.hex.upper()):
        assert customer.request("GET", f"orders/{spelling}/").json() == usual
        assert customer.request("GET", f"orders/{spelling}/history").json()["count"] == 1
    for other in (f"{{{order_id}}}", f"urn:uuid:{order_id}", f"{order_id}0", order_id.hex[1:]):
        assert customer.request("GET", f"orders/{other}/").status_code == 404
    edited = customer.request("PATCH", f"orders/{order_id.hex.upper()}", {"shippingAddress": ADDRESS})
    assert edited.json() == usual


def test_an_order_is_the_same_in_the_admin_by_every_spelling_of_its_id(placer: OrderPlacer) -> None:
    browser, order = WsgiClient(), placer.place()
    browser.force_login(User.objects.create_superuser("root"))
    page = reverse("admin:orders_app_order_change", args=[order.id])
    for spelling in (str(order.id).upper(), order.id.hex):
        answer = browser.get(page.replace(str(order.id), spelling))
        assert (answer.status_code, order.order_number in answer.content.decode()) == (200, True)


ROUTES = {
    ("GET", "orders/statuses"): 200,
    ("GET", "orders"): 200,
    ("GET", "products"): 200,
    ("OPTIONS", "orders"): 200,
    ("HEAD", "orders"): 200,
    ("POST", "auth/token"): 400,
    ("POST", "auth/register"): 400,
    ("PATCH", "orders/00000000-0000-0000-0000-000000000000"): 404,
    ("PATCH", "orders/00000000-0000-0000-0000-000000000000/cancel"): 404,
    ("DELETE", "orders/00000000-0000-0000-0000-000000000000"): 404,
    ("PUT", "orders"): 405,
}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_route_answers_without_its_last_slash_as_with_it(method: str, path: str) -> None:
    staff = ApiUser(1, is_staff=True)
    without = staff.request(method, path, {})
    assert without.status_code == ROUTES[method, path]
    assert content_of(without) == content_of(staff.request(method, f"{path}/", {}))


def test_an_order_is_placed_without_the_last_slash_by_both_adapters(
    placer: OrderPlacer, customer: ApiUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    views = note_dispatches(OrderViewSet, monkeypatch)
    body, key = order_body((placer.catalogue.add(), 1)), {"Idempotency-Key": "a key of mine"}
    assert customer.request("POST", "orders", body, key).status_code == 201
    fast = customer.request("POST", "orders", body, key)
    assert not views
    view = customer.request("POST", "orders", body, key | TO_THE_VIEW)
    assert views == ["/api/v1/orders"]
    assert content_of(fast) == content_of(view)
    assert Order.objects.count() == 1


def test_stock_is_reserved_without_the_last_slash(clean_catalogue: None, transactional_db: Any) -> None:
    lamp = stocked(3)
    line = {"quantity": 1, "orderId": "a"}
    answer = service().post(f"/api/v1/products/{lamp.upper()}/reserve", line)
    assert (answer.status_code, answer.json()["newStock"]) == (200, 2)


@pytest.mark.parametrize("path", ["nothing", "orders/x/y/", "orders//", "orders/%ff/", "a" * 5_000, "%00"])
def test_a_path_that_is_no_route_is_told_so(path: str) -> None:
    answer = ApiUser().request("POST", path)
    assert (answer.status_code, codes(answer)) == (404, ["not_found"])
    detail = answer.json()["errors"][0]["detail"]
    assert detail.startswith("There is no route /api/v1/")
    assert len(detail) < 200
