"""Bodies as they come over the wire: in chunks, late, not at all; through the server that ./start runs."""

import http.client
import json
import socket
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.orders_app.api.api_users import order_body
from tests.orders_app.ordering import OrderPlacer
from tests.orders_app.sockets.browser import token
from tests.products_app.product_stock import stocked
from tests.web.conftest import FRONT_END
from tests.web.test_oversized_bodies import endpoints, stored

__all__ = ["endpoints"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_catalogue")]

NOTHING: tuple[Any, ...] = (b"", [])
"""No bytes, and no chunks."""

Answer = tuple[int, dict[str, Any]]


def ask(url: str, method: str, path: str, authorization: str, *, body: Any) -> Answer:
    """The answer; a body that is no bytes but a list of them is sent in chunks."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)) as connection:
        headers = {"Authorization": authorization, "Content-Type": "application/json"}
        connection.request(
            method, f"/api/v1/{path}", body, headers, encode_chunked=not isinstance(body, bytes)
        )
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"{}")


def in_chunks(value: object) -> list[bytes]:
    content = json.dumps(value).encode()
    return [content[:7], content[7:]]


def test_an_order_in_chunks_is_placed(web_url: str, placer: OrderPlacer) -> None:
    body = in_chunks(order_body((stocked(10), 1)))
    status, order = ask(web_url, "POST", "orders/", f"Bearer {token(placer.user_id)}", body=body)
    assert (status, order["items"][0]["quantity"]) == (201, 1)


def test_a_change_in_chunks_is_made(web_url: str) -> None:
    product, staff = stocked(10), f"Bearer {token(1, is_staff=True)}"
    status, changed = ask(web_url, "PATCH", f"products/{product}/", staff, body=in_chunks({"name": "Kettle"}))
    assert (status, changed["name"]) == (200, "Kettle")


def test_no_empty_body_is_a_success_where_a_body_was_meant(
    web_url: str, endpoints: Sequence[tuple[str, str, str]]
) -> None:
    before = stored()
    for method, path, authorization in endpoints:
        if path.endswith("/cancel/"):  # its reason may be left out
            continue
        for body in NOTHING:
            status, answer = ask(web_url, method, path, authorization, body=body)
            assert status == 400, (method, path, answer)
            assert answer["errors"][0]["detail"]
    assert stored() == before


def test_an_order_is_cancelled_without_a_body(web_url: str, placer: OrderPlacer) -> None:
    order = placer.place()
    status, _ = ask(
        web_url, "PATCH", f"orders/{order.id}/cancel/", f"Bearer {token(placer.user_id)}", body=b""
    )
    assert status == 200


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("POST /api/v1/orders/", 401),
        ("POST /api/v1/nowhere/", 404),
        ("POST /nowhere", 404),
        ("PUT /api/v1/orders/", 401),
        ("POST /health/live", 403),
        ("PATCH /api/v1/products/000000000000000000000000/", 401),
    ],
)
def test_what_is_refused_without_a_body_does_not_wait_for_it(web_url: str, line: str, status: int) -> None:
    address = urlsplit(web_url)
    lines = (f"{line} HTTP/1.1", "Host: localhost", "Content-Type: application/json", "Content-Length: 1000")
    head = "".join(f"{each}\r\n" for each in (*lines, "")) + "{"
    with socket.create_connection((address.hostname, address.port), timeout=5) as caller:
        caller.sendall(head.encode())
        assert caller.recv(12) == f"HTTP/1.1 {status}".encode()


def test_a_body_that_comes_late_is_counted_once_and_used(web_url: str, placer: OrderPlacer) -> None:
    address = urlsplit(web_url)
    body = json.dumps(order_body((stocked(10), 1))).encode()
    head = (
        f"POST /api/v1/orders/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token(placer.user_id)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port), timeout=2) as caller:
        caller.sendall(head.encode() + body[:5])
        with pytest.raises(TimeoutError):  # longer than the server waits before it looks at the head alone
            caller.recv(1)
        caller.settimeout(10)
        caller.sendall(body[5:])
        assert caller.recv(12) == b"HTTP/1.1 201"


@pytest.mark.parametrize("framing", ["Content-Length: 2000000", "Transfer-Encoding: chunked"])
def test_a_refusal_of_the_server_reaches_pages_of_the_front_end_and_the_log(
    web_url: str, web_log: Path, framing: str
) -> None:
    address = urlsplit(web_url)
    path = f"/api/v1/{framing.partition(':')[0]}/"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: {FRONT_END}\r\n{framing}\r\n\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=10) as caller:
        caller.sendall(head.encode() + b"1e8480\r\n" + b"x" * 2_000_000)
        with http.client.HTTPResponse(caller) as response:
            response.begin()
            assert response.status == 413
            assert response.headers["Access-Control-Allow-Origin"] == FRONT_END
            assert response.headers["Connection"] == "close"
            assert json.loads(response.read())["errors"][0]["code"] == "too_large"
    (line,) = (line for line in web_log.read_text().splitlines() if path in line)
    assert "413" in line
    assert response.headers["X-Request-Id"] in line
