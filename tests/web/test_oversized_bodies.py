"""Oversized bodies are refused with a clear error, and change nothing."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User

from products_app.documents.ledger import ledger_collection
from products_app.documents.product import product_collection
from products_app.models import ServiceKey
from tests.orders_app.ordering import OrderPlacer, all_that_is_stored
from tests.orders_app.sockets.browser import token
from tests.products_app.product_stock import stocked

TOO_LARGE = [b'{"items": "' + b"x" * 10_000_000 + b'"}', b'{"items": [' + b"1," * 9_999_999 + b"1]}"]
DEEP = b"[" * 100_000
MILLION = b'{"items": [' + b"{}," * 999_999 + b"{}]}"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_catalogue")]


def stored() -> tuple[Any, ...]:
    """Everything that a request could have changed, in both databases."""
    products = list(product_collection().find().sort("_id"))
    ledger = list(ledger_collection().find().sort("_id"))
    return (*all_that_is_stored(), list(User.objects.order_by("pk").values()), products, ledger)


@pytest.fixture
def endpoints(placer: OrderPlacer) -> Sequence[tuple[str, str, str]]:
    """Every route with a body: method, path and credentials."""
    order, product = placer.place(), stocked(10)
    customer, staff = f"Bearer {token(placer.user_id)}", f"Bearer {token(1, is_staff=True)}"
    service = f"Api-Key {ServiceKey.issue(name='shop')[1]}"
    return [
        ("POST", "auth/register/", ""),
        ("POST", "auth/token/", ""),
        ("POST", "auth/token/refresh/", ""),
        ("POST", "products/", staff),
        ("PUT", f"products/{product}/", staff),
        ("PATCH", f"products/{product}/", staff),
        ("POST", f"products/{product}/reserve/", service),
        ("POST", f"products/{product}/release/", service),
        ("POST", "orders/", customer),
        ("PATCH", f"orders/{order.id}/", customer),
        ("PATCH", f"orders/{order.id}/cancel/", customer),
        ("PATCH", f"orders/{order.id}/status/", staff),
    ]


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        pytest.param(TOO_LARGE[0], {413}, id="ten megabytes"),
        pytest.param(TOO_LARGE[1], {413}, id="ten million items"),
        pytest.param(MILLION, {413}, id="a million items"),
        pytest.param(DEEP + b"]" * 100_000, {400}, id="nested too deep"),
        pytest.param(DEEP, {400}, id="nested too deep and cut off"),
        pytest.param(
            b'{"x": ' * 100_000 + b"1" + b"}" * 100_000, {400}, id="nested too deep in a field unknown"
        ),
    ],
)
def test_a_body_that_is_too_large_is_refused_on_every_route(
    web_url: str, endpoints: Sequence[tuple[str, str, str]], body: bytes, statuses: set[int]
) -> None:
    before = stored()
    for method, path, authorization in endpoints:
        headers = {"Content-Type": "application/json"}
        headers |= {"Authorization": authorization} if authorization else {}
        # One connection per request: the server closes a connection whose body it has not read.
        answer = httpx.request(method, f"{web_url}/api/v1/{path}", content=body, headers=headers, timeout=30)
        assert answer.status_code in statuses, (method, path, answer.status_code, answer.text[:300])
        (error,) = answer.json()["errors"]
        assert error["detail"]
        assert len(answer.content) < 1_000
    assert stored() == before
    assert httpx.get(f"{web_url}/api/v1/products/", timeout=30).status_code == 200
