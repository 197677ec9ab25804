"""Every request has a trace and an access line."""

import re
from datetime import datetime

import pytest
import structlog
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from tests.conftest import Lines, log_format
from tests.orders_app.sockets.browser import token
from tests.recorded_spans import Recorded, ids, recorded
from web.middleware import observe_requests

__all__ = ["recorded"]

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACE_PARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
ORDER_ID = "019b7e2a-0b1c-7d3e-8f40-0123456789ab"


def answered(header: str) -> tuple[str, str]:
    """The trace parent that a view sees of a request with this header, and the id that the client gets."""
    seen: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        bound = structlog.contextvars.get_contextvars()["trace_parent"]
        seen.extend([request.trace_parent, bound])  # type: ignore[attr-defined]
        return HttpResponse()

    request = RequestFactory().get("/", headers={"traceparent": header} if header else {})
    response = observe_requests(view)(request)
    assert seen[0] == seen[1]
    return seen[0], response["X-Request-Id"]


def test_a_valid_trace_is_continued() -> None:
    assert answered(TRACE_PARENT) == (TRACE_PARENT, TRACE_ID)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        TRACE_PARENT.upper(),
        TRACE_PARENT + "-x",
        TRACE_PARENT + "\n",
        f"ff-{TRACE_ID}-b7ad6b7169203331-01",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
    ],
    ids=repr,
)
def test_without_a_valid_trace_a_new_one_starts(header: str) -> None:
    trace_parent, request_id = answered(header)
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", trace_parent)
    assert request_id == trace_parent[3:35] != TRACE_ID
    assert answered(header)[1] != request_id


def test_the_trace_is_unbound_after_the_request() -> None:
    answered(TRACE_PARENT)
    assert "trace_parent" not in structlog.contextvars.get_contextvars()


@pytest.mark.django_db(transaction=True)
def test_a_request_has_one_access_line_with_its_facts(access_lines: Lines) -> None:
    user = User.objects.create_user("alice")
    headers = {"traceparent": TRACE_PARENT, "Authorization": f"Bearer {token(user.pk)}"}
    Client().get("/api/v1/orders/?search=secret", headers=headers)
    [line] = access_lines()
    assert (line["message"], line["log.level"], line["log.logger"]) == ("request", "info", "access")
    assert (line["http.request.method"], line["url.path"]) == ("GET", "/api/v1/orders/")
    assert line["http.response.status_code"] == 200
    assert (line["user.id"], line["trace.id"]) == (str(user.pk), TRACE_ID)
    assert 0 < line["event.duration"] < 5_000_000_000
    assert datetime.fromisoformat(line["@timestamp"]).utcoffset() is not None
    assert "secret" not in str(line)


@pytest.mark.django_db(transaction=True)
def test_the_access_line_needs_no_query_for_the_user(access_lines: Lines) -> None:
    browser = Client()
    browser.force_login(User.objects.create_user("alice"))
    browser.get("/not/here/")
    [line] = access_lines()
    assert "user.id" not in line


@pytest.mark.usefixtures("mongodb")
@pytest.mark.django_db(transaction=True)
def test_probes_and_scrapes_that_are_answered_leave_no_access_line(access_lines: Lines) -> None:
    for path in ("/health/live", "/health/ready", "/metrics"):
        Client().get(path)
    Client().get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
    [line] = access_lines()
    assert (line["url.path"], line["http.response.status_code"]) == ("/metrics", 403)


@pytest.mark.django_db(transaction=True)
def test_the_token_of_a_link_is_in_no_access_line(access_lines: Lines) -> None:
    Client().get("/mail/unsubscribe/7:a-signature/")
    [line] = access_lines()
    assert line["url.path"] == "/mail/unsubscribe/<str:token>/"
    assert "a-signature" not in str(line)


def test_on_a_console_no_value_can_break_the_line(capfd: pytest.CaptureFixture[str]) -> None:
    with log_format("console"):
        structlog.get_logger("access").info("request", path="/a\nb\x1b[31m mongodb://app:hunter2@db/", ms=1.5)
    [line] = capfd.readouterr().err.splitlines()
    assert line.split(" INFO  ")[1] == r"""'/a\nb\x1b[31m mongodb://app:***@db/' ms=1.5"""


@pytest.mark.django_db(transaction=True)
def test_a_request_whose_trace_is_recorded_is_a_span_named_by_its_route(recorded: Recorded) -> None:
    answer = Client().get(f"/api/v1/orders/{ORDER_ID}/?search=secret")
    [span] = recorded.spans
    attributes = dict(span.attributes or {})
    assert span.name == f"GET {attributes['http.route']}"
    assert attributes["http.response.status_code"] == answer.status_code
    assert ORDER_ID not in span.to_json()
    assert "secret" not in span.to_json()
    assert ids(span)[0] == answer["X-Request-Id"]


def test_health_checks_are_no_spans(recorded: Recorded) -> None:
    Client().get("/health/live")
    assert recorded.spans == ()
