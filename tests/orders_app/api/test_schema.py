"""The OpenAPI schema is that of the code, and the API can be used from a browser."""

import html
import json
import re
from pathlib import Path

import msgspec
import pytest
import yaml
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.core.management import call_command
from rest_framework.test import APIClient

from orders_app.api.views import OrderViewSet
from orders_app.services.change_order import update_order
from tests.orders_app.ordering import OrderPlacer
from web.struct_schema import StructSerializer

SNAPSHOT = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"
REFRESH = "manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml"


def test_the_schema_in_the_repository_equals_that_of_the_code(tmp_path: Path) -> None:
    current = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(current))
    assert current.read_text() == SNAPSHOT.read_text(), f"the API has changed: {REFRESH}"


def test_every_route_is_in_the_schema_under_a_name_of_its_own() -> None:
    schema = yaml.safe_load(SNAPSHOT.read_text())
    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert all(operation["summary"] for operation in operations)
    assert {
        "obtainTokens",
        "refreshTokens",
        "register",
        "listOrders",
        "placeOrder",
        "getOrder",
        "editOrder",
        "deleteOrder",
        "cancelOrder",
        "changeOrderStatus",
        "getOrderHistory",
        "listOrdersOfUser",
        "listOrderStatuses",
    } <= set(names)


def test_the_documentation_page_loads_nothing_from_another_host() -> None:
    page = APIClient().get("/api/docs/")
    assert page.status_code == 200
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    assert sources
    for source in sources:
        if source.startswith("/api/docs/"):
            assert APIClient().get(source)["Content-Type"].startswith("application/javascript")
            continue
        assert source.startswith("/static/")
        assert finders.find(source.removeprefix("/static/")), source


def test_the_schema_is_served() -> None:
    response = APIClient().get("/api/schema/")
    assert yaml.safe_load(response.content)["openapi"].startswith("3.")


@pytest.mark.django_db(transaction=True)
def test_every_page_of_the_browsable_api_can_be_opened_with_its_forms(placer: OrderPlacer) -> None:
    order = placer.place()
    client = APIClient()
    client.force_login(User.objects.create_user("sam", is_staff=True))
    pages = {
        "orders/": "shippingAddress",
        f"orders/{order.id}/": "shippingAddress",
        f"orders/{order.id}/history/": "order.created",
        f"orders/user/{placer.user_id}/": str(order.id),
        "orders/statuses/": "allowedTransitions",
    }
    for path, words in pages.items():
        page = client.get(f"/api/v1/{path}", HTTP_ACCEPT="text/html")
        assert page.status_code == 200
        assert page["Content-Type"].startswith("text/html")
        assert words in page.content.decode()
    for path in (f"orders/{order.id}/cancel/", f"orders/{order.id}/status/", "auth/token/", "auth/register/"):
        page = client.get(f"/api/v1/{path}", HTTP_ACCEPT="text/html")
        assert page.status_code == 405
        assert "<form" in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_form_of_an_order_is_filled_from_the_order(placer: OrderPlacer) -> None:
    order = placer.place()
    update_order(order_id=order.id, tracking_number="1Z 999", origin=placer.origin)
    sam = User.objects.create_user("sam", is_staff=True)
    for user in (User.objects.get(pk=placer.user_id), sam):
        client = APIClient()
        client.force_login(user)
        page = client.get(f"/api/v1/orders/{order.id}/", HTTP_ACCEPT="text/html").content.decode()
        (form,) = re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
        filled = {"shippingAddress": msgspec.to_builtins(order.shipping_address)}
        assert json.loads(html.unescape(form)) == filled | (
            {"trackingNumber": "1Z 999"} if user == sam else {}
        )


@pytest.mark.parametrize("serializer", OrderViewSet.form_serializers.values())
def test_every_form_starts_with_a_valid_body(serializer: type[StructSerializer]) -> None:
    assert msgspec.convert(serializer.example, serializer.struct)
