"""Reserve and release have two adapters, the fast path and the view: both give the same answers."""

from typing import Any

import pytest
from bson import Int64, ObjectId
from prometheus_client import REGISTRY

from products_app.documents.product import product_collection
from products_app.models import ServiceKey
from tests.adapters import TO_THE_VIEW, content_of, mongodb_counts, note_dispatches
from tests.products_app.api.callers import PRODUCTS, Json, service
from tests.products_app.product_stock import assert_conserved, new_order, stock_of, stocked
from tests.wsgi_client import WsgiClient
from web.endpoint_view import EndpointView

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("catalogue")]
UNKNOWN = "665f1f77bcf86cd799439011"


@pytest.fixture
def views(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the requests that reached the view."""
    return note_dispatches(EndpointView, monkeypatch)


def send(client: WsgiClient, path: str, body: Json | bytes, headers: Json | None = None) -> Any:
    if isinstance(body, bytes):
        return client.generic("POST", f"{PRODUCTS}{path}", body, "application/json", headers=headers)  # type: ignore[arg-type]
    return client.post(f"{PRODUCTS}{path}", body, headers=headers)


def send_to_both(client: WsgiClient, path: str, body: Json | bytes, views: list[str]) -> tuple[Any, Any]:
    """The answers of the fast path and of the view to the same request."""
    fast = send(client, path, body)
    assert not views
    view = send(client, path, body, TO_THE_VIEW)
    assert views == [f"{PRODUCTS}{path}"]
    views.clear()
    return fast, view


def test_both_adapters_give_the_same_answer_byte_for_byte(views: list[str]) -> None:
    lamp, order, service_client = stocked(10), new_order(), service()
    for action, quantity in (("reserve", 4), ("release", 3)):
        fast, view = send_to_both(
            service_client, f"{lamp}/{action}/", {"quantity": quantity, "orderId": order}, views
        )
        assert fast.status_code == 200
        assert content_of(fast) == content_of(view)
    assert stock_of(lamp) == 9
    assert_conserved()


REFUSED: dict[str, tuple[int, str, Json | bytes]] = {
    "more than there is": (409, "{lamp}/reserve/", {"quantity": 11, "orderId": "o"}),
    "an unknown product": (404, f"{UNKNOWN}/reserve/", {"quantity": 1, "orderId": "o"}),
    "no product": (404, "lamp/reserve/", {"quantity": 1, "orderId": "o"}),
    "quantity 0": (400, "{lamp}/reserve/", {"quantity": 0, "orderId": "o"}),
    "quantity 1.5": (400, "{lamp}/release/", {"quantity": 1.5, "orderId": "o"}),
    "quantity true": (400, "{lamp}/reserve/", {"quantity": True, "orderId": "o"}),
    "no order": (400, "{lamp}/reserve/", {"quantity": 1}),
    "an empty order": (400, "{lamp}/reserve/", {"quantity": 1, "orderId": ""}),
    "an endless order": (400, "{lamp}/reserve/", {"quantity": 1, "orderId": "o" * 65}),
    "an order with a null byte": (400, "{lamp}/reserve/", {"quantity": 1, "orderId": "o\0"}),
    "two wrong fields": (400, "{lamp}/reserve/", {"quantity": "1", "orderId": 1}),
    "broken JSON": (400, "{lamp}/reserve/", b"{"),
    "JSON without end": (400, "{lamp}/reserve/", b"[" * 100_000),
}


@pytest.mark.parametrize("case", REFUSED)
def test_both_adapters_refuse_with_the_same_body_and_change_nothing(case: str, views: list[str]) -> None:
    lamp, service_client = stocked(10), service()
    status, path, body = REFUSED[case]
    fast, view = send_to_both(service_client, path.format(lamp=lamp), body, views)
    assert content_of(fast) == content_of(view)
    assert fast.status_code == status
    assert stock_of(lamp) == 10
    assert_conserved()


@pytest.mark.parametrize("action", ["reserve", "release"])
def test_both_adapters_refuse_a_key_what_another_key_has_reserved(action: str, views: list[str]) -> None:
    lamp, body = stocked(10), {"quantity": 4, "orderId": new_order()}
    assert send(service(), f"{lamp}/reserve/", body).status_code == 200
    fast, view = send_to_both(service(), f"{lamp}/{action}/", body, views)
    assert content_of(fast) == content_of(view)
    assert (fast.status_code, fast.json()["errors"][0]["code"]) == (409, "reserved_by_another")
    assert stock_of(lamp) == 6


def test_a_reserve_of_a_sold_out_product_takes_one_transaction(views: list[str]) -> None:
    lamp, service_client = stocked(0), service()
    with mongodb_counts("transactions", "totalStarted") as transactions:
        answer = send(service_client, f"{lamp}/reserve/", {"quantity": 1, "orderId": new_order()})
    assert (answer.status_code, answer.json()["availableStock"]) == (409, 0)
    assert (transactions, views) == ([1], [])


def test_a_stock_that_was_stored_with_64_bits_is_a_number_in_the_refusal(views: list[str]) -> None:
    lamp = stocked(10)
    product_collection().update_one({"_id": ObjectId(lamp)}, {"$set": {"stock": Int64(10)}})
    fast, view = send_to_both(service(), f"{lamp}/reserve/", {"quantity": 11, "orderId": "o"}, views)
    assert content_of(fast) == content_of(view)
    assert fast.json()["availableStock"] == 10


@pytest.mark.parametrize("scheme", ["api-key", "API-KEY", "Api-Key "])
def test_both_adapters_take_the_scheme_of_a_key_in_any_case(scheme: str, views: list[str]) -> None:
    lamp, text = stocked(10), ServiceKey.issue(name="shop")[1]
    client = WsgiClient(HTTP_AUTHORIZATION=f"{scheme} {text}")
    body = {"quantity": 1, "orderId": new_order()}
    fast, view = send_to_both(client, f"{lamp}/reserve/", body, views)
    assert content_of(fast) == content_of(view)
    assert fast.status_code == 200


@pytest.mark.parametrize(
    ("end", "status"),
    [("a forged key", 401), ("two keys", 401), ("a revoked key", 401), ("a key for releasing alone", 403)],
)
def test_both_adapters_refuse_a_caller_with_the_same_answer(end: str, status: int, views: list[str]) -> None:
    lamp, (key, text) = stocked(10), ServiceKey.issue(name="shop")
    client = WsgiClient(HTTP_AUTHORIZATION=f"Api-Key {text}")
    body = {"quantity": 1, "orderId": new_order()}
    assert send(client, f"{lamp}/reserve/", body).status_code == 200
    match end:
        case "a forged key":
            client = WsgiClient(HTTP_AUTHORIZATION=f"Api-Key {text[:-1]}")
        case "two keys":
            client = WsgiClient(HTTP_AUTHORIZATION=f"Api-Key {text} Api-Key {text}")
        case "a revoked key":
            ServiceKey.objects.filter(pk=key.pk).update(revoked=True)
        case _:
            ServiceKey.objects.filter(pk=key.pk).update(may_reserve=False)
    fast, view = send_to_both(client, f"{lamp}/reserve/", body | {"orderId": new_order()}, views)
    assert content_of(fast) == content_of(view)
    assert fast.status_code == status
    assert stock_of(lamp) == 9


def test_the_view_answers_a_path_that_is_not_ascii(views: list[str]) -> None:
    answer = send(service(), "lämpchen/reserve/", {"quantity": 1, "orderId": new_order()})
    assert (answer.status_code, len(views)) == (404, 1)
    assert "lämpchen" in answer.json()["errors"][0]["detail"]


def test_the_view_refuses_a_caller_without_a_key(views: list[str]) -> None:
    answer = send(WsgiClient(), f"{stocked(1)}/reserve/", {"quantity": 1, "orderId": new_order()})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Api-Key")
    assert len(views) == 1


def test_a_reserve_on_the_fast_path_counts_under_its_route() -> None:
    labels = {"method": "POST", "route": "api/v1/products/<str:product_id>/reserve/", "status": "200"}
    counted = REGISTRY.get_sample_value("stockbridge_http_requests_total", labels) or 0
    assert (
        send(service(), f"{stocked(1)}/reserve/", {"quantity": 1, "orderId": new_order()}).status_code == 200
    )
    assert REGISTRY.get_sample_value("stockbridge_http_requests_total", labels) == counted + 1
