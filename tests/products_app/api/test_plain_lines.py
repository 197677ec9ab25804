"""Plain requests to reserve and release go a short way: it answers as the view does, or leaves it to it."""

from typing import Any

import pytest
from prometheus_client import REGISTRY

from products_app.api.views import LineView
from products_app.models import ServiceKey
from tests.front_door import FrontDoor
from tests.products_app.api.callers import PRODUCTS, Json, service
from tests.products_app.shelves import assert_conserved, new_order, stock_of, stocked
from tests.two_ways import ANY_JSON, note_dispatches, told

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("catalogue")]
WEIGHED = {"HTTP_ACCEPT": ANY_JSON}
UNKNOWN = "665f1f77bcf86cd799439011"


@pytest.fixture
def views(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requests that came to a view."""
    return note_dispatches(LineView, monkeypatch)


def ask(client: FrontDoor, path: str, body: Json | bytes, **extra: str) -> Any:
    if isinstance(body, bytes):
        return client.generic("POST", f"{PRODUCTS}{path}", body, "application/json", **extra)  # type: ignore[arg-type]
    return client.post(f"{PRODUCTS}{path}", body, **extra)  # type: ignore[arg-type]


def test_both_ways_give_the_same_answer_to_the_letter(views: list[str]) -> None:
    lamp, order, neighbour = stocked(10), new_order(), service()
    for action, quantity in (("reserve", 4), ("release", 3)):
        body = {"quantity": quantity, "orderId": order}
        short = ask(neighbour, f"{lamp}/{action}/", body)
        assert (short.status_code, views) == (200, [])
        long = ask(neighbour, f"{lamp}/{action}/", body, **WEIGHED)
        assert views == [f"{PRODUCTS}{lamp}/{action}/"]
        assert told(short) == told(long)
        views.clear()
    assert stock_of(lamp) == 9
    assert_conserved()


REFUSED: dict[str, tuple[str, Json | bytes]] = {
    "more than there is": ("{lamp}/reserve/", {"quantity": 11, "orderId": "o"}),
    "an unknown product": (f"{UNKNOWN}/reserve/", {"quantity": 1, "orderId": "o"}),
    "no product": ("lamp/reserve/", {"quantity": 1, "orderId": "o"}),
    "quantity 0": ("{lamp}/reserve/", {"quantity": 0, "orderId": "o"}),
    "quantity 1.5": ("{lamp}/release/", {"quantity": 1.5, "orderId": "o"}),
    "quantity true": ("{lamp}/reserve/", {"quantity": True, "orderId": "o"}),
    "no order": ("{lamp}/reserve/", {"quantity": 1}),
    "an empty order": ("{lamp}/reserve/", {"quantity": 1, "orderId": ""}),
    "an endless order": ("{lamp}/reserve/", {"quantity": 1, "orderId": "o" * 65}),
    "broken JSON": ("{lamp}/reserve/", b"{"),
    "JSON without end": ("{lamp}/reserve/", b"[" * 100_000),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_is_the_views(case: str) -> None:
    lamp, neighbour = stocked(10), service()
    path, body = REFUSED[case]
    path = path.format(lamp=lamp)
    short, long = ask(neighbour, path, body), ask(neighbour, path, body, **WEIGHED)
    assert told(short) == told(long)
    assert 400 <= short.status_code < 500
    assert stock_of(lamp) == 10
    assert_conserved()


@pytest.mark.parametrize("end", ["nobody", "a forged key", "a revoked key", "a key for releasing alone"])
def test_whom_the_view_does_not_let_in_the_short_way_does_not_either(end: str) -> None:
    lamp, (key, text) = stocked(10), ServiceKey.issue(name="neighbour")
    client = FrontDoor(HTTP_AUTHORIZATION=f"Api-Key {text}")
    body = {"quantity": 1, "orderId": new_order()}
    assert ask(client, f"{lamp}/reserve/", body).status_code == 200
    match end:
        case "nobody":
            client = FrontDoor()
        case "a forged key":
            client = FrontDoor(HTTP_AUTHORIZATION=f"Api-Key {text[:-1]}")
        case "a revoked key":
            ServiceKey.objects.filter(pk=key.pk).update(revoked=True)
        case _:
            ServiceKey.objects.filter(pk=key.pk).update(may_reserve=False)
    another = body | {"orderId": new_order()}
    short, long = (ask(client, f"{lamp}/reserve/", another, **extra) for extra in ({}, WEIGHED))
    assert told(short) == told(long)
    assert short.status_code in {401, 403}
    assert stock_of(lamp) == 9


def test_a_plain_line_counts_under_its_route() -> None:
    labels = {"method": "POST", "route": "api/v1/products/<str:product_id>/reserve/", "status": "200"}
    counted = REGISTRY.get_sample_value("stockbridge_http_requests_total", labels) or 0
    assert (
        ask(service(), f"{stocked(1)}/reserve/", {"quantity": 1, "orderId": new_order()}).status_code == 200
    )
    assert REGISTRY.get_sample_value("stockbridge_http_requests_total", labels) == counted + 1
