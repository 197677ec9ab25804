"""A body that is too large, too deep or not JSON is a 4xx on every route with a body, and changes nothing."""

from typing import Any

import pytest

from tests.orders_app.api.api_users import ApiUser, codes
from tests.products_app.api.callers import service
from tests.products_app.product_stock import stocked
from tests.web.callers import everything

pytestmark = pytest.mark.django_db(transaction=True)

Endpoints = list[tuple[Any, str, str]]
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain")


def nested(depth: int, name: str = "name") -> bytes:
    return b'{"%s": ' % name.encode() + b"[" * depth + b"]" * depth + b"}"


def filled(value: bytes) -> bytes:
    """A body with this value in every field that a route reads."""
    names = ("username", "password", "email", "refresh", "name", "price", "quantity", "orderId", "items")
    return b"{" + b", ".join(b'"%s": %s' % (name.encode(), value) for name in names) + b"}"


BODIES: dict[str, tuple[bytes, set[int]]] = {
    "ten megabytes": (filled(b'"%s"' % (b"x" * 1_200_000)), {413}),
    "a hundred thousand lists in one another": (nested(100_000), {400}),
    "as deep as an interpreter can go": (nested(900), {400}),
    "twenty lists in one another": (nested(20), {400}),
    "deep in an unknown field": (nested(100_000, "unknown"), {400}),
    "deep objects": (b'{"name":' * 50_000 + b"1" + b"}" * 50_000, {400}),
    "not a number": (filled(b"NaN"), {400}),
    "infinity": (filled(b"-Infinity"), {400}),
    "a float beyond all": (filled(b"1e999"), {400}),
    "a float near the end of all": (filled(b"1e308"), {400, 401}),
    "a number of 5,000 digits": (filled(b"1" + b"0" * 5_000), {400}),
    "a number of 400 digits": (filled(b"1" + b"0" * 400), {400, 401}),
    "400,000 items": (b'{"items": [' + b"1," * 400_000 + b"1]}", {400}),
    "no UTF-8": (filled(b'"\xff"'), {400}),
    "half a surrogate": (filled(b'"\\ud800"'), {400}),
    "NUL": (filled(b'"a\\u0000"'), {400}),
    "a list": (b"[1, 2]", {400}),
    "text": (b'"text"', {400}),
    "null": (b"null", {400}),
    "endless fields": (filled(b'"%s"' % (b"x" * 20_000)), {400}),
}


@pytest.fixture
def endpoints(clean_catalogue: None, transactional_db: None) -> Endpoints:
    """Every route with a body, and a client that it accepts."""
    staff = ApiUser(1, is_staff=True).client
    lamp = stocked(3)
    return [
        (ApiUser().client, "POST", "auth/token/"),
        (ApiUser().client, "POST", "auth/token/refresh/"),
        (ApiUser().client, "POST", "auth/register/"),
        (staff, "POST", "products/"),
        (staff, "PUT", f"products/{lamp}/"),
        (service(), "POST", f"products/{lamp}/reserve/"),
        (service(), "POST", f"products/{lamp}/release/"),
        (ApiUser(1).client, "POST", "orders/"),
    ]


def test_a_body_above_the_limits_is_refused_by_every_parser(
    endpoints: Endpoints, subtests: pytest.Subtests
) -> None:
    before = everything()
    for case, (body, expected) in BODIES.items():
        for client, method, path in endpoints:
            with subtests.test(f"{case} to {path}"):
                response = client.generic(method, f"/api/v1/{path}", body, content_type="application/json")
                assert response.status_code in expected, response.content[:300]
                assert codes(response)
                assert len(response.content) < 10_000, "an error does not send the body back"
    assert everything() == before


def test_a_body_of_another_content_type_is_a_415(endpoints: Endpoints, subtests: pytest.Subtests) -> None:
    before = everything()
    for client, method, path in endpoints:
        for kind in FORMS:
            with subtests.test(f"{kind} to {path}"):
                response = client.generic(method, f"/api/v1/{path}", b"username=x", content_type=kind)
                assert response.status_code == 415
    assert everything() == before
