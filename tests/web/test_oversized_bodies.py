"""Bodies that nobody sends in good faith: refused with a clear error, and nothing has changed."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User

from products_app.documents.ledger import ledger_collection
from products_app.documents.product import product_collection
from products_app.models import ServiceKey
from tests.orders_app.ordering import Desk, all_that_is_stored
from tests.orders_app.sockets.browser import token
from tests.products_app.shelves import stocked

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
def doors(desk: Desk) -> Sequence[tuple[str, str, str]]:
    """Every route that takes a body: method, path and who may use it."""
    order, product = desk.place(), stocked(10)
    customer, staff = f"Bearer {token(desk.user_id)}", f"Bearer {token(1, is_staff=True)}"
    service = f"Api-Key {ServiceKey.issue(name='neighbour')[1]}"
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
def test_what_is_too_large_is_refused_on_every_route(
    web_url: str, doors: Sequence[tuple[str, str, str]], body: bytes, statuses: set[int]
) -> None:
    before = stored()
    for method, path, authorization in doors:
        headers = {"Content-Type": "application/json"}
        headers |= {"Authorization": authorization} if authorization else {}
        # A connection each: the server ends one whose body it has not read.
        answer = httpx.request(method, f"{web_url}/api/v1/{path}", content=body, headers=headers, timeout=30)
        assert answer.status_code in statuses, (method, path, answer.status_code, answer.text[:300])
        (error,) = answer.json()["errors"]
        assert error["detail"]
        assert len(answer.content) < 1_000
    assert stored() == before
    assert httpx.get(f"{web_url}/api/v1/products/", timeout=30).status_code == 200
