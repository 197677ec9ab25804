"""Every error under /api/ has the same form."""

from typing import Any

import pytest
from django.db import OperationalError

from orders_app.api import views
from tests.orders_app.api.api_users import ApiUser


def form_of(response: Any, status: int, code: str, kind: str = "client_error") -> None:
    """Checks that the answer has this status, this code and the form of all errors."""
    body = response.json()
    assert response.status_code == status, body
    assert body.keys() == {"type", "errors"}
    assert body["type"] == kind
    assert [error.keys() for error in body["errors"]] == [{"code", "detail", "attr"}]
    assert body["errors"][0]["code"] == code


def detail_of(response: Any) -> str:
    """The sentence of the only error."""
    (error,) = response.json()["errors"]
    return str(error["detail"])


@pytest.mark.parametrize("path", ["nothing/", "nothing", "orders/x/y/", "orders/no-uuid/"])
def test_an_unknown_path_is_a_404(path: str) -> None:
    response = ApiUser().request("POST", path)
    form_of(response, 404, "not_found")


def test_an_unknown_method_of_a_route_is_a_405() -> None:
    response = ApiUser(1).request("PUT", "orders/")
    form_of(response, 405, "method_not_allowed")
    assert "POST" in response["Allow"]
    assert detail_of(response) == 'Method "PUT" not allowed. Allowed are GET, POST, HEAD, OPTIONS.'


def test_a_body_that_is_not_json_is_a_415() -> None:
    client = ApiUser(1).client
    response = client.generic("POST", "/api/v1/orders/", "<order/>", content_type="application/xml")
    form_of(response, 415, "unsupported_media_type")
    assert detail_of(response) == (
        'This is a body of type "application/xml"; this route reads application/json.'
    )
    form_of(client.post("/api/v1/orders/", {"items": "x"}, format="multipart"), 415, "unsupported_media_type")
    untyped = client.generic("POST", "/api/v1/orders/", "{}", content_type="")
    form_of(untyped, 415, "unsupported_media_type")
    assert "without a Content-Type" in detail_of(untyped)


def test_an_unknown_media_type_of_the_answer_is_a_406() -> None:
    response = ApiUser().request("GET", "orders/statuses/", headers={"Accept": "text/csv"})
    form_of(response, 406, "not_acceptable")
    assert detail_of(response) == (
        '"text/csv" is asked for (Accept), but this route answers with application/json or text/html.'
    )


def test_a_body_that_is_too_large_is_a_413() -> None:
    body = b'{"items": "' + b"x" * 2_700_000 + b'"}'
    form_of(ApiUser(1).request("POST", "orders/", body), 413, "too_large")


def test_an_unknown_host_is_a_400() -> None:
    response = ApiUser().request("GET", "orders/statuses/", headers={"Host": "evil.example"})
    form_of(response, 400, "bad_request")
    assert "Host" in detail_of(response)


def failing(error: Exception) -> Any:
    def fail(*_: object) -> None:
        raise error

    return fail


def test_an_outage_of_the_database_is_a_503_without_its_message(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(views, "visible_orders", failing(OperationalError("db-1.internal is down")))
    response = ApiUser(1).request("GET", "orders/")
    form_of(response, 503, "database_unavailable", "server_error")
    assert response["Retry-After"] == "5"
    assert b"internal" not in response.content
    (line,) = [record for record in caplog.records if record.name == "django.request"]
    assert "db-1.internal is down" in line.getMessage()
    assert not line.exc_info, "no traceback: each request of the time would write the same"


def test_an_exception_is_a_500_without_details(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "visible_orders", failing(RuntimeError("secret")))
    response = ApiUser(1).request("GET", "orders/")
    form_of(response, 500, "error", "server_error")
    assert b"secret" not in response.content
