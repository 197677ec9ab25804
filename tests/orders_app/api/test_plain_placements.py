"""Plain requests to POST orders/ go a short way: it answers exactly as the view does, or leaves it to it."""

from typing import Any

import pytest
from django.db import OperationalError
from prometheus_client import REGISTRY
from pytest_django import Settings

from orders_app.api.views import OrderViewSet
from orders_app.models import Order
from orders_app.services.place_order import batch, writing
from tests.conftest import Lines
from tests.orders_app.api.people import Json, Person, codes, order_body
from tests.orders_app.ordering import Desk, all_that_is_stored
from tests.two_ways import ANY_JSON, note_dispatches, told
from web import plain_requests

pytestmark = pytest.mark.django_db(transaction=True)
WEIGHED = {"Accept": ANY_JSON}
TRACE_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNKNOWN = "665f1f77bcf86cd799439011"


@pytest.fixture
def views(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requests that came to the view."""
    return note_dispatches(OrderViewSet, monkeypatch)


def test_both_ways_give_the_same_answer_to_the_letter(desk: Desk, customer: Person, views: list[str]) -> None:
    lamp = desk.catalogue.add(r'Löwenlampe 獅子 </script> \ "', "19.90")
    key = {"Idempotency-Key": "the same"}
    placed = customer.ask("POST", "orders/", order_body((lamp, 2)), key)
    short = customer.ask("POST", "orders/", order_body((lamp, 2)), key)
    assert not views
    long = customer.ask("POST", "orders/", order_body((lamp, 2)), key | WEIGHED)
    assert views == ["/api/v1/orders/"]
    assert told(short) == told(long)
    assert placed.json() == long.json()
    assert dict(placed.items()).keys() == dict(long.items()).keys() - {"Idempotent-Replayed"}


def test_both_ways_start_an_order_with_the_same_fields(desk: Desk, customer: Person) -> None:
    body = order_body((desk.catalogue.add(), 2))
    short, long = (customer.ask("POST", "orders/", body, headers) for headers in ({}, WEIGHED))
    own = {"id", "orderNumber", "createdAt", "updatedAt"}
    assert [
        {name: value for name, value in each.json().items() if name not in own} for each in (short, long)
    ] == [{name: value for name, value in short.json().items() if name not in own}] * 2
    assert {name for name in own if short.json()[name] == long.json()[name]} == set()
    assert Order.objects.count() == 2


REFUSALS: dict[str, tuple[bytes | Json, Json]] = {
    "broken JSON": (b"{", {}),
    "no items": (order_body(), {}),
    "an unknown product": (order_body((UNKNOWN, 1)), {}),
    "a key that is none": (order_body((UNKNOWN, 1)), {"Idempotency-Key": ""}),
    "a forged token": (order_body((UNKNOWN, 1)), {"Authorization": "Bearer a.b.c"}),
    "two tokens": (order_body((UNKNOWN, 1)), {"Authorization": "Bearer a b"}),
    "an unknown host": (order_body((UNKNOWN, 1)), {"Host": "evil.example"}),
    "a body without end": (b" " * 1_000_001, {}),
    "JSON without end": (b"[" * 100_000, {}),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_is_the_views(case: str, desk: Desk, customer: Person) -> None:
    body, headers = REFUSALS[case]
    before = all_that_is_stored()
    if "Authorization" in headers:
        customer.client.credentials()
    short = customer.ask("POST", "orders/", body, headers)
    long = customer.ask("POST", "orders/", body, headers | WEIGHED)
    assert told(short) == told(long)
    assert 400 <= short.status_code < 500
    assert all_that_is_stored() == before


def test_an_order_whose_commit_was_not_heard_of_is_not_placed_again_by_the_view(
    desk: Desk, customer: Person, monkeypatch: pytest.MonkeyPatch, views: list[str]
) -> None:
    write = writing.write_orders

    def write_and_lose_the_connection(*args: Any) -> Any:
        write(*args)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(batch, "write_orders", write_and_lose_the_connection)
    short = customer.ask("POST", "orders/", order_body((desk.catalogue.add(), 1)))
    assert (short.status_code, codes(short), short["Retry-After"]) == (503, ["database_unavailable"], "5")
    assert (Order.objects.count(), views) == (1, [])
    long = customer.ask("POST", "orders/", order_body((desk.catalogue.add(), 1)), WEIGHED)
    assert told(short) == told(long)


def test_both_ways_leave_the_same_line_in_the_log(desk: Desk, customer: Person, access_lines: Lines) -> None:
    body, headers = order_body((desk.catalogue.add(), 1)), {"traceparent": TRACE_PARENT}
    for way in ({}, WEIGHED):
        assert customer.ask("POST", "orders/", body, headers | way).status_code == 201
    own = {"ms", "@timestamp"}
    short, long = [
        {name: value for name, value in line.items() if name not in own} for line in access_lines()
    ]
    assert short == long
    assert (short["user.id"], short["trace.id"]) == (str(customer.user_id), TRACE_PARENT.split("-")[1])


def test_a_plain_order_counts_under_its_route(desk: Desk, customer: Person) -> None:
    labels = {"method": "POST", "route": "api/v1/orders/", "status": "201"}

    def counted() -> float:
        return REGISTRY.get_sample_value("stockbridge_http_requests_total", labels) or 0

    before = counted()
    assert customer.ask("POST", "orders/", order_body((desk.catalogue.add(), 1))).status_code == 201
    assert counted() == before + 1


ELSEWHERE: dict[str, Json] = {
    "from a page of another origin": {"Origin": "https://shop.example"},
    "for a proxy's HTTPS that nobody trusts": {"X-Forwarded-Proto": "https"},
    "with a trace": {"traceparent": TRACE_PARENT},
}


@pytest.mark.parametrize("content_type", sorted(plain_requests.IS_JSON))
@pytest.mark.parametrize("accept", sorted(plain_requests.TAKES_JSON))
def test_what_the_usual_clients_send_goes_the_short_way_and_means_the_same(
    content_type: str, accept: str, desk: Desk, customer: Person, views: list[str]
) -> None:
    body, key = order_body((desk.catalogue.add("Löwenlampe 獅子"), 1)), {"Idempotency-Key": "the same"}
    sent = key | {"Content-Type": content_type, "Accept": accept}
    customer.ask("POST", "orders/", body, sent)
    short = customer.ask("POST", "orders/", body, sent)
    assert not views
    long = customer.ask("POST", "orders/", body, sent | {"Accept": f"{accept};q=0.9"})
    assert len(views) == 1
    assert told(short) == told(long)


@pytest.mark.parametrize("case", ELSEWHERE)
def test_headers_that_middlewares_read_mean_the_same_both_ways(
    case: str, desk: Desk, customer: Person
) -> None:
    body, key = order_body((desk.catalogue.add(), 1)), {"Idempotency-Key": "the same"}
    customer.ask("POST", "orders/", body, key)
    short, long = (
        customer.ask("POST", "orders/", body, key | ELSEWHERE[case] | way) for way in ({}, WEIGHED)
    )
    assert told(short) == told(long)
    assert short.status_code == 201


@pytest.mark.parametrize("proxy", [None, "HTTP_X_FORWARDED_PROTO"])
def test_where_https_is_due_a_plain_request_without_it_is_sent_there(
    proxy: str | None, desk: Desk, customer: Person, settings: Settings
) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 60
    settings.SECURE_PROXY_SSL_HEADER = (proxy, "https") if proxy else None
    plain_requests._surrounding.cache_clear()
    body, key = order_body((desk.catalogue.add(), 1)), {"Idempotency-Key": "the same"}
    answers = [
        [customer.ask("POST", "orders/", body, key | scheme | way) for way in ({}, WEIGHED)]
        for scheme in ({}, {"X-Forwarded-Proto": "https"}, {"X-Forwarded-Proto": "http"})
    ]
    plain_requests._surrounding.cache_clear()
    assert [short.status_code for short, _ in answers] == [301, 201 if proxy else 301, 301]
    for short, long in answers:
        own = {"Idempotent-Replayed"}
        assert told(short)[0] == told(long)[0]
        assert told(short)[1].items() - told(long)[1].items() == set()
        assert told(long)[1].keys() - told(short)[1].keys() <= own
    assert Order.objects.count() == (1 if proxy else 0)


def test_a_fault_of_ours_is_a_500_and_nobody_tries_again(
    desk: Desk, customer: Person, monkeypatch: pytest.MonkeyPatch, views: list[str]
) -> None:
    def fail(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(batch, "write_orders", fail)
    short = customer.ask("POST", "orders/", order_body((desk.catalogue.add(), 1)))
    assert (short.status_code, views) == (500, [])
    long = customer.ask("POST", "orders/", order_body((desk.catalogue.add(), 1)), WEIGHED)
    assert short.json().keys() == long.json().keys()


def test_a_body_whose_length_is_not_told_is_the_views(desk: Desk, customer: Person, views: list[str]) -> None:
    customer.ask("POST", "orders/", order_body((desk.catalogue.add(), 1)), {"Content-Length": ""})
    assert views == ["/api/v1/orders/"]


def test_where_requests_are_counted_the_view_counts_them(
    desk: Desk, customer: Person, monkeypatch: pytest.MonkeyPatch, views: list[str]
) -> None:
    monkeypatch.setattr(plain_requests, "are_requests_counted", lambda: True)
    assert customer.ask("POST", "orders/", order_body((desk.catalogue.add(), 1))).status_code == 201
    assert views == ["/api/v1/orders/"]
