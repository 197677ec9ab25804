"""POST orders/ has two adapters, the fast path and the view: both give the same answers."""

from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import OperationalError
from django.urls import resolve
from django.utils.module_loading import import_string
from prometheus_client import REGISTRY
from pytest_django import Settings

from orders_app.api.views import OrderViewSet
from orders_app.models import Order
from orders_app.services.place_order import service, writing
from tests.adapters import TO_THE_VIEW, content_of, mongodb_counts, note_dispatches
from tests.conftest import Lines, SetRate
from tests.orders_app.api.api_users import ApiUser, Json, codes, order_body
from tests.orders_app.ordering import OrderPlacer, all_that_is_stored
from tests.wsgi_client import WsgiClient
from web.fast_path import FastPath

pytestmark = pytest.mark.django_db(transaction=True)
TRACE_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNKNOWN = "665f1f77bcf86cd799439011"
KEY = {"Idempotency-Key": "the same"}


@pytest.fixture
def views(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the requests that reached the view."""
    return note_dispatches(OrderViewSet, monkeypatch)


def send_to_both(customer: ApiUser, body: object, headers: Json, views: list[str]) -> tuple[Any, Any]:
    """The answers of the fast path and of the view to the same request."""
    fast = customer.request("POST", "orders/", body, headers)
    assert not views
    view = customer.request("POST", "orders/", body, headers | TO_THE_VIEW)
    assert views == ["/api/v1/orders/"]
    views.clear()
    return fast, view


def test_each_declared_route_is_that_of_its_view(settings: Settings) -> None:
    for name in settings.FAST_ENDPOINTS:
        route = import_string(name).route
        assert resolve(f"/{route.replace('<str:product_id>', UNKNOWN)}").route == route


def test_both_adapters_give_the_same_answer_byte_for_byte(
    placer: OrderPlacer, customer: ApiUser, views: list[str]
) -> None:
    lamp = placer.catalogue.add('Löwenlampe 獅子 </script> \u2028 \\ "', "19.90")
    body = order_body((lamp, 2))
    placed = customer.request("POST", "orders/", body, KEY)
    fast, view = send_to_both(customer, body, KEY, views)
    assert content_of(fast) == content_of(view)
    assert placed.json() == view.json()
    assert dict(placed.items()).keys() == dict(view.items()).keys() - {"Idempotent-Replayed"}


def test_both_adapters_start_an_order_with_the_same_fields(
    placer: OrderPlacer, customer: ApiUser, views: list[str]
) -> None:
    answers = send_to_both(customer, order_body((placer.catalogue.add(), 2)), {}, views)
    own = {"id", "orderNumber", "createdAt", "updatedAt"}
    fast, view = (answer.json() for answer in answers)
    assert {name: fast[name] for name in fast.keys() - own} == {
        name: view[name] for name in view.keys() - own
    }
    assert Order.objects.count() == 2


REFUSALS: dict[str, tuple[int, bytes | Json, Json]] = {
    "broken JSON": (400, b"{", {}),
    "no UTF-8": (400, b'{"items": "\xff"}', {}),
    "no items": (400, order_body(), {}),
    "a wrong field": (400, order_body((UNKNOWN, "2")), {}),  # type: ignore[arg-type]  # that is what is wrong
    "several wrong fields": (400, {"items": 1, "paymentMethod": "x"}, {}),
    "an unknown product": (400, order_body((UNKNOWN, 1), (UNKNOWN.upper(), 1)), {}),
    "a key that is none": (400, order_body((UNKNOWN, 1)), {"Idempotency-Key": ""}),
    "a forged token": (401, order_body((UNKNOWN, 1)), {"Authorization": "Bearer a.b.c"}),
    "two tokens": (401, order_body((UNKNOWN, 1)), {"Authorization": "Bearer a b"}),
    "a key used for another order": (422, order_body((UNKNOWN, 1)), KEY),
    "JSON without end": (400, b"[" * 100_000, {}),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_both_adapters_refuse_with_the_same_body_and_change_nothing(
    case: str, placer: OrderPlacer, customer: ApiUser, views: list[str]
) -> None:
    status, body, headers = REFUSALS[case]
    customer.request("POST", "orders/", order_body((placer.catalogue.add(), 1)), KEY)
    before = all_that_is_stored()
    if "Authorization" in headers:
        customer.client.credentials()
    fast, view = send_to_both(customer, body, headers, views)
    assert content_of(fast) == content_of(view)
    assert fast.status_code == status
    assert all_that_is_stored() == before


LEFT_TO_THE_VIEW: dict[str, tuple[int, Json]] = {
    "without a token": (401, {"Authorization": ""}),
    "of XML": (415, {"Content-Type": "application/xml"}),
    "of unknown length": (400, {"Content-Length": ""}),
    "for a page": (201, {"Accept": "text/html, application/json;q=0.5"}),
    "that refuses JSON": (201, {"Accept": "application/json;q=0, text/plain"}),
    "of an endless origin": (201, {"Origin": f"https://{'o' * 2_000}"}),
}


@pytest.mark.parametrize("case", LEFT_TO_THE_VIEW)
def test_the_view_answers_a_request(
    case: str, placer: OrderPlacer, customer: ApiUser, views: list[str]
) -> None:
    status, headers = LEFT_TO_THE_VIEW[case]
    if "Authorization" in headers:
        customer.client.credentials()
    answer = customer.request("POST", "orders/", order_body((placer.catalogue.add(), 1)), headers)
    assert (answer.status_code, views) == (status, ["/api/v1/orders/"])


def test_the_view_answers_a_request_with_a_query(
    placer: OrderPlacer, customer: ApiUser, views: list[str]
) -> None:
    assert customer.request("POST", "orders/?x=1", order_body((placer.catalogue.add(), 1))).status_code == 201
    assert views == ["/api/v1/orders/"]


def test_the_view_answers_a_request_that_names_no_host(
    placer: OrderPlacer, customer: ApiUser, views: list[str]
) -> None:
    del customer.client.defaults["HTTP_HOST"]
    assert customer.request("POST", "orders/", order_body((placer.catalogue.add(), 1))).status_code == 201
    assert views == ["/api/v1/orders/"]


def test_the_view_refuses_a_body_that_is_too_large(customer: ApiUser, views: list[str]) -> None:
    assert customer.request("POST", "orders/", b" " * 1_000_001).status_code == 413
    assert views == ["/api/v1/orders/"]


def test_both_adapters_refuse_an_unknown_host_with_the_same_answer(
    placer: OrderPlacer, customer: ApiUser
) -> None:
    fast, view = (
        customer.request("POST", "orders/", order_body((UNKNOWN, 1)), {"Host": "evil.example"} | more)
        for more in ({}, TO_THE_VIEW)
    )
    assert content_of(fast) == content_of(view)
    assert fast.status_code == 400


def test_a_refused_order_queries_the_catalogue_once(
    placer: OrderPlacer, customer: ApiUser, views: list[str]
) -> None:
    with mongodb_counts("opcounters", "query") as queries:
        assert customer.request("POST", "orders/", order_body((UNKNOWN, 1))).status_code == 400
    assert (queries, views) == ([1], [])


def test_an_order_with_an_unknown_commit_is_not_placed_again(
    placer: OrderPlacer, customer: ApiUser, monkeypatch: pytest.MonkeyPatch, views: list[str]
) -> None:
    write = writing.write_orders

    def write_and_lose_the_connection(*args: Any) -> Any:
        write(*args)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(service, "write_orders", write_and_lose_the_connection)
    body = order_body((placer.catalogue.add(), 1))
    fast = customer.request("POST", "orders/", body)
    assert (fast.status_code, codes(fast), fast["Retry-After"]) == (503, ["database_unavailable"], "5")
    assert (Order.objects.count(), views) == (1, [])
    assert content_of(fast) == content_of(customer.request("POST", "orders/", body, TO_THE_VIEW))


def test_an_exception_is_the_same_500_from_both_adapters(
    placer: OrderPlacer, customer: ApiUser, monkeypatch: pytest.MonkeyPatch, views: list[str]
) -> None:
    def fail(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(service, "write_orders", fail)
    fast, view = send_to_both(customer, order_body((placer.catalogue.add(), 1)), {}, views)
    assert content_of(fast) == content_of(view)
    assert fast.status_code == 500


def test_both_adapters_write_the_same_access_line(
    placer: OrderPlacer, customer: ApiUser, access_lines: Lines, views: list[str]
) -> None:
    body = order_body((placer.catalogue.add(), 1))
    send_to_both(customer, body, KEY | {"traceparent": TRACE_PARENT}, views)
    own = {"event.duration", "@timestamp"}
    fast, view = [{name: value for name, value in line.items() if name not in own} for line in access_lines()]
    assert fast == view
    assert (fast["user.id"], fast["trace.id"]) == (str(customer.user_id), TRACE_PARENT.split("-")[1])


def test_the_access_line_of_a_placement_names_the_order_that_its_answer_has(
    placer: OrderPlacer, customer: ApiUser, access_lines: Lines, views: list[str]
) -> None:
    body = order_body((placer.catalogue.add(), 1))
    placed, again = send_to_both(customer, body, KEY, views)
    refused = customer.request("POST", "orders/", {**body, "paymentMethod": "none"})
    first, second, third = access_lines()
    assert again["Idempotent-Replayed"] == "true"
    for line in (first, second):
        assert (line["order.id"], line["order.number"]) == (
            placed.json()["id"],
            placed.json()["orderNumber"],
        )
    assert refused.status_code == 400
    assert "order.id" not in third


def test_an_order_on_the_fast_path_counts_under_its_route(placer: OrderPlacer, customer: ApiUser) -> None:
    labels = {"method": "POST", "route": "api/v1/orders/", "status": "201"}

    def counted() -> float:
        return REGISTRY.get_sample_value("stockbridge_http_requests_total", labels) or 0

    before = counted()
    assert customer.request("POST", "orders/", order_body((placer.catalogue.add(), 1))).status_code == 201
    assert counted() == before + 1


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json;charset=UTF-8", 'application/json; charset="utf-8"'],
)
@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "application/json",
        "application/json, text/plain, */*",
        "application/json, text/javascript, */*; q=0.01",
        "application/json;q=0.9,*/*;q=0.8",
    ],
)
def test_requests_with_headers_of_usual_clients_take_the_fast_path_with_the_same_answer(
    content_type: str, accept: str, placer: OrderPlacer, customer: ApiUser, views: list[str]
) -> None:
    body = order_body((placer.catalogue.add("Löwenlampe 獅子"), 1))
    sent = KEY | {"Content-Type": content_type, "Accept": accept}
    customer.request("POST", "orders/", body, sent)
    fast = customer.request("POST", "orders/", body, sent)
    assert not views
    view = customer.request("POST", "orders/", body, sent | TO_THE_VIEW)
    assert len(views) == 1
    assert content_of(fast) == content_of(view)


HEADERS: dict[str, Json] = {
    "from a page of the frontend": {"Origin": "https://shop.example"},
    "from a page of another origin": {"Origin": "https://evil.example"},
    "HTTPS of an untrusted proxy": {"X-Forwarded-Proto": "https"},
    "with a trace": {"traceparent": TRACE_PARENT},
}


@pytest.mark.parametrize("case", HEADERS)
def test_headers_that_middlewares_read_mean_the_same_to_both_adapters(
    case: str, placer: OrderPlacer, customer: ApiUser, settings: Settings, views: list[str]
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
    body = order_body((placer.catalogue.add(), 1))
    customer.request("POST", "orders/", body, KEY)
    fast, view = send_to_both(customer, body, KEY | HEADERS[case], views)
    assert content_of(fast) == content_of(view)
    assert fast.status_code == 201
    is_of_frontend = case == "from a page of the frontend"
    assert fast.has_header("Access-Control-Allow-Origin") == is_of_frontend
    readable = "etag, location, retry-after, x-count-estimated, x-newest-searched" if is_of_frontend else None
    assert fast.get("Access-Control-Expose-Headers") == readable


def test_requests_of_a_user_are_counted_on_the_fast_path_as_in_the_view(
    placer: OrderPlacer, customer: ApiUser, set_rate: SetRate, views: list[str]
) -> None:
    set_rate("user", "1/day")
    body = order_body((placer.catalogue.add(), 1))
    assert customer.request("POST", "orders/", body).status_code == 201
    fast, view = send_to_both(customer, body, {}, views)
    assert (fast.status_code, codes(fast)) == (429, ["throttled"])
    assert abs(int(fast["Retry-After"]) - int(view["Retry-After"])) <= 1
    assert fast.headers.keys() == view.headers.keys()
    assert Order.objects.count() == 1


def test_requests_from_an_address_are_counted_before_the_fast_path_and_before_the_view(
    placer: OrderPlacer, customer: ApiUser, set_rate: SetRate, views: list[str]
) -> None:
    set_rate("address", "2/day")
    body = order_body((placer.catalogue.add(), 1))
    forged = {"Authorization": "Bearer a.b.c"}
    for headers in (forged, forged | TO_THE_VIEW):
        assert ApiUser().request("POST", "orders/", body, headers).status_code == 401
    views.clear()
    fast, view = (customer.request("POST", "orders/", body, more) for more in ({}, TO_THE_VIEW))
    assert not views
    assert (fast.status_code, codes(fast)) == (429, ["throttled"])
    assert abs(int(fast["Retry-After"]) - int(view["Retry-After"])) <= 1
    assert fast["Cache-Control"] == view["Cache-Control"]
    assert not Order.objects.exists()


@pytest.mark.parametrize("proxy", [None, "HTTP_X_FORWARDED_PROTO"])
def test_both_adapters_refuse_plain_http_if_https_is_required(
    proxy: str | None, placer: OrderPlacer, settings: Settings
) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 60
    settings.SECURE_PROXY_SSL_HEADER = (proxy, "https") if proxy else None
    customer, body = ApiUser(placer.user_id), order_body((placer.catalogue.add(), 1))
    customer.request("POST", "orders/", body, KEY | {"X-Forwarded-Proto": "https"})
    for scheme in ({}, {"X-Forwarded-Proto": "https"}, {"X-Forwarded-Proto": "http"}):
        fast, view = (
            customer.request("POST", "orders/", body, KEY | scheme | more) for more in ({}, TO_THE_VIEW)
        )
        assert content_of(fast) == content_of(view)
        assert fast.status_code == (201 if proxy and "https" in scheme.values() else 301)
    assert Order.objects.count() == (1 if proxy else 0)


@pytest.mark.parametrize("origin", ["https://shop.example", "https://evil.example", "null", None])
@pytest.mark.parametrize("https", [False, True])
def test_preflights_are_answered_as_by_the_middlewares_of_all_requests(
    origin: str | None, https: bool, settings: Settings, access_lines: Lines
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
    settings.SECURE_SSL_REDIRECT = https
    asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    headers = asking | ({"Origin": origin} if origin else {})
    by_django = WsgiClient()
    by_django.application = FastPath(get_wsgi_application())
    answers = [
        client.options("/api/v1/orders/", headers=headers, content_type="")
        for client in (WsgiClient(), by_django)
        for _ in range(2)
    ]
    assert len({repr(content_of(answer)) for answer in answers}) == 1
    assert answers[0].status_code == (301 if https else 200)
    assert answers[0].has_header("Access-Control-Max-Age") == (not https and origin == "https://shop.example")
    lines = [{**line, "event.duration": 0, "@timestamp": 0, "trace.id": 0} for line in access_lines()]
    assert len({repr(sorted(map(repr, line.items()))) for line in lines}) == 1
