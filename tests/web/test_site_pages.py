"""What all pages share: language, zone, headers, sign-in, and pages for errors."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.utils import timezone, translation

from foundation.refusals import Kind, Refusal, Unavailable
from web.errors import csrf_failure, permission_denied, server_error
from web.pages import public_page, signed_in_page, staff_page
from web.socket_address import sockets_url


class NotThere(Refusal):
    kind, code = Kind.NOT_FOUND, "not_found"


class Away(Unavailable):
    code, sentence = "away", "It is away."


def request_of(path: str = "/", user: object = None, **headers: Any) -> HttpRequest:
    request = RequestFactory().get(path, **headers)
    request.user = user or AnonymousUser()  # type: ignore[assignment]
    return request


def raising(error: Exception) -> Any:
    @public_page
    def view(request: HttpRequest) -> HttpResponse:
        raise error

    return view


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Http404(), 404),
        (NotThere("Nothing."), 404),
        (PermissionDenied("Not yours."), 403),
        (Away(), 503),
        (OperationalError("gone"), 503),
    ],
)
def test_an_error_of_a_page_becomes_a_page_that_leads_on(error: Exception, status: int) -> None:
    response = raising(error)(request_of())
    assert response.status_code == status
    assert '<a class="button button--primary" href="/">' in response.content.decode()
    assert response["Cache-Control"] == "no-store"
    assert ("Retry-After" in response) is (status == 503)


def test_a_page_for_people_who_are_signed_in_sends_others_to_sign_in_and_back() -> None:
    view = signed_in_page(lambda request: HttpResponse("mine"))
    answer = view(request_of("/orders/?page=2"))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login/?next=/orders/%3Fpage%3D2")
    assert view(request_of(user=User(username="ann"))).status_code == 200


def test_a_page_for_staff_says_to_customers_that_it_is_not_for_them() -> None:
    view = staff_page(lambda request: HttpResponse("ours"))
    refusal = view(request_of(user=User(username="ann")))
    assert refusal.status_code == 403
    assert "people who work here" in refusal.content.decode()  # type: ignore[attr-defined]
    assert view(request_of(user=User(username="sam", is_staff=True))).status_code == 200


def test_a_page_speaks_in_the_language_and_zone_of_the_viewer() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        shown = {"language": translation.get_language(), "zone": timezone.get_current_timezone_name()}
        return HttpResponse(json.dumps(shown))

    request = request_of(HTTP_ACCEPT_LANGUAGE="de")
    request.COOKIES["tz"] = "Asia/Kolkata"
    response = public_page(view)(request)
    assert json.loads(response.content) == {"language": "de", "zone": "Asia/Kolkata"}  # type: ignore[attr-defined]
    assert response["Content-Language"] == "de"
    request.COOKIES["tz"] = "../../etc/passwd"
    assert json.loads(public_page(view)(request).content)["zone"] == "UTC"  # type: ignore[attr-defined]


def test_a_page_made_for_one_person_is_not_stored() -> None:
    view = public_page(lambda request: HttpResponse())
    request = request_of()
    assert view(request)["Cache-Control"] == "private, no-cache"
    request.COOKIES["sessionid"] = "x"
    assert view(request)["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("setting", "host", "expected"),
    [
        ("", "shop.example", "ws://shop.example/ws/orders/"),
        ("ws://localhost:8001", "127.0.0.1:8000", "ws://127.0.0.1:8001/ws/orders/"),
        ("ws://localhost:8001", "localhost:8000", "ws://localhost:8001/ws/orders/"),
        ("wss://live.example", "shop.example", "wss://live.example/ws/orders/"),
    ],
)
def test_pages_find_the_sockets(setting: str, host: str, expected: str, settings: Any) -> None:
    settings.PUBLIC_WS_URL, settings.ALLOWED_HOSTS = setting, ["*"]
    assert sockets_url(request_of(HTTP_HOST=host)) == expected


def test_the_policy_of_a_page_lets_it_connect_to_the_sockets(settings: Any) -> None:
    settings.PUBLIC_WS_URL = "ws://live.example:81"
    policy = Client().get("/products/nothing/")["Content-Security-Policy"]
    assert "connect-src 'self' ws://live.example:81;" in f"{policy};"


def test_the_errors_of_the_api_stay_json() -> None:
    request = request_of("/api/v1/orders/")
    for answer in (
        permission_denied(request, PermissionDenied()),
        csrf_failure(request),
        server_error(request),
    ):
        assert json.loads(answer.content)["errors"][0]["detail"]
    page = csrf_failure(request_of("/cart/"))
    assert page.status_code == HTTPStatus.FORBIDDEN
    assert "no longer valid" in page.content.decode()
    assert "another account" not in page.content.decode()


def test_a_database_that_is_down_outside_a_view_is_told_as_an_outage() -> None:
    def lose() -> None:
        raise OperationalError("gone")

    try:
        lose()
    except OperationalError:
        page = server_error(request_of())
    assert page.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert server_error(request_of()).status_code == HTTPStatus.INTERNAL_SERVER_ERROR


def test_the_page_of_a_failure_names_the_trace_by_which_staff_find_it() -> None:
    request = request_of()
    request.trace_parent = f"00-{'a' * 32}-{'b' * 16}-00"  # type: ignore[attr-defined]
    assert f"<code>{'a' * 32}</code>" in server_error(request).content.decode()
    assert "a" * 32 not in raising(Http404())(request).content.decode()


def rendered(source: str, **context: Any) -> str:
    return Template("{% load site %}" + source).render(Context(context))


def test_money_has_the_decimals_of_its_currency() -> None:
    assert rendered("{% money a 'USD' %}", a=Decimal("1234.5")) == (
        '<span class="money">1,234.50&nbsp;<small>USD</small></span>'
    )
    assert "1,235&nbsp;" in rendered("{% money a 'JPY' %}", a=Decimal(1235))
    with translation.override("de"):
        assert "1.234,50&nbsp;" in rendered("{% money a 'EUR' %}", a=Decimal("1234.50"))


def test_a_moment_is_in_the_zone_of_the_viewer_with_the_zone_in_its_title() -> None:
    time = datetime(2026, 11, 26, 13, 5, 9, tzinfo=UTC)
    with timezone.override("Europe/Berlin"):
        shown = rendered("{% moment t %}", t=time)
    assert 'datetime="2026-11-26T13:05:09+00:00"' in shown
    assert 'title="26 Nov 2026, 14:05:09 Europe/Berlin"' in shown
    assert ">26 Nov 2026, 14:05</time>" in shown
    assert ">26 Nov 2026, 13:05 UTC</time>" in rendered("{% moment t %}", t=time)
    with translation.override("de"):
        assert ">26. Nov 2026, 13:05:09 UTC</time>" in rendered("{% exact t %}", t=time)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "key", ['"aaaaaaaa\\000"', "x" * 41, '"\\377\\377\\377\\377\\377\\377\\377\\377"', "\\" * 32]
)
def test_a_cookie_that_is_no_session_is_nobodys(key: str) -> None:
    browser = Client(raise_request_exception=False, headers={"cookie": f"sessionid={key}"})
    assert browser.get("/account/").status_code == 302
    assert browser.get("/cart/").status_code == 200
