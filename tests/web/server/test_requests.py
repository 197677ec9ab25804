"""Requests as clients may write them, and as they may not."""

import json
import select
from pathlib import Path

import pytest

from devtools.driver.shop import eventually
from tests.web.server.conftest import Server, serving
from tests.web.server.site import BIG_BYTES

POST = ("POST / HTTP/1.1", "Host: a")
CHUNKED = "Transfer-Encoding: chunked"


def all_big_answered(server: Server) -> bool:
    seen = server.call().send("GET /answered HTTP/1.1", "Host: a").answer()[1]
    return seen == {"text": "30"}


def memory_of(server: Server) -> int:
    """What the server has in memory, in MB."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) // 1024


def test_a_chunked_body_reaches_the_application_with_its_length(server: Server) -> None:
    caller = server.call().send(*POST, CHUNKED, body=b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    status, seen = caller.answer()
    assert (status, seen["body"], seen["CONTENT_LENGTH"]) == (200, "abcde", "5")
    assert "HTTP_TRANSFER_ENCODING" not in seen
    assert caller.send("GET /next HTTP/1.1", "Host: a").answer()[1]["PATH_INFO"] == "/next"


@pytest.mark.parametrize(
    "headers",
    [
        ("X_Forwarded_For: 1.2.3.4", "X-Forwarded_Proto: https", "Idempotency_Key: k", "Content_Length: 5"),
        ("Content_Type: text/plain", "Authorization_: x", "_Host: b", "Transfer_Encoding: chunked"),
    ],
)
def test_headers_with_an_underscore_never_reach_the_application(
    server: Server, headers: tuple[str, ...]
) -> None:
    status, seen = server.echo(*headers, "X-Real: yes")
    assert status == 200
    assert seen["HTTP_X_REAL"] == "yes"
    names = {name for name in seen if name.startswith(("HTTP_", "CONTENT_"))}
    assert names == {"HTTP_HOST", "HTTP_X_REAL"}


def test_trailers_after_a_chunked_body_are_no_headers(server: Server) -> None:
    trailer = b"0\r\nX-Forwarded-For: 1.2.3.4\r\nAuthorization: b\r\n\r\n"
    status, seen = server.call().send(*POST, CHUNKED, body=b"1\r\na\r\n" + trailer).answer()
    assert (status, seen["body"], seen["CONTENT_LENGTH"]) == (200, "a", "1")
    assert not {"HTTP_X_FORWARDED_FOR", "HTTP_AUTHORIZATION"} & seen.keys()


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        pytest.param(("Content-Length: 2", "Content-Length: 3"), b"abc", id="two lengths"),
        pytest.param(("Content-Length: 3", CHUNKED), b"0\r\n\r\n", id="a length and chunks"),
        pytest.param(("Content-Length: -1",), b"", id="a negative length"),
        pytest.param(("Content-Length: +3",), b"abc", id="a length with a sign"),
        pytest.param(("Content-Length: 3,3",), b"abc", id="a list of lengths"),
        pytest.param(("Transfer-Encoding: gzip",), b"abc", id="another encoding"),
        pytest.param(("Transfer-Encoding: chunked, identity",), b"0\r\n\r\n", id="chunked is not last"),
        pytest.param((CHUNKED,), b"zz\r\nabc\r\n0\r\n\r\n", id="a chunk size that is no number"),
        pytest.param(("Host: b",), b"", id="two hosts"),
        pytest.param(("Authorization: a", "Authorization: b"), b"", id="two credentials"),
        pytest.param(("Na me: x",), b"", id="a space in a name"),
        pytest.param(("Name : x",), b"", id="a space after a name"),
        pytest.param(("Name: x\0y",), b"", id="a zero byte"),
        pytest.param(("Name: x", " folded"), b"", id="a folded line"),
    ],
)
def test_a_malformed_request_is_a_400_with_the_usual_form(
    server: Server, lines: tuple[str, ...], body: bytes
) -> None:
    caller = server.call().send(*POST, *lines, body=body)
    status, answer = caller.answer()
    assert status == 400
    assert [error["code"] for error in answer["errors"]] == ["bad_request"]
    assert caller.is_closed()
    assert server.echo()[0] == 200


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0", 505, id="HTTP/2"),
        pytest.param(b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, id="a request that says 2.0"),
        pytest.param(b"GET / HTTP/3.7\r\nHost: a\r\n\r\n", 400, id="an unknown version"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 40, 400, id="TLS"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no host"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 500 + b"\r\n", 431, id="too many headers"),
        pytest.param(b"GET / HTTP/1.1\r\na: " + b"b" * 200_000, 431, id="a header that is too long"),
        pytest.param(b"GET /" + b"a" * 200_000, 431, id="a path that is too long"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\nContent-Length: 9\r\n\r\n",
            417,
            id="expectation",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000000\r\n\r\nab", 413, id="too large"
        ),
    ],
)
def test_what_is_refused_before_any_body_is_answered_at_once(
    server: Server, data: bytes, status: int
) -> None:
    caller = server.call().raw(data)
    assert caller.answer()[0] == status
    assert caller.is_closed()


def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large(server: Server) -> None:
    caller = server.call().send(*POST, CHUNKED)
    caller.raw(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
    assert caller.answer()[0] == 413


def test_a_body_of_tiny_chunks_is_bounded_too(server: Server) -> None:
    caller = server.call().send(*POST, CHUNKED)
    extension = b"1;" + b"e" * 4_000 + b"\r\nx\r\n"
    caller.raw(extension * 2_200)
    assert caller.answer()[0] == 413


def test_a_body_of_the_largest_size_is_taken(server: Server) -> None:
    caller = server.call().send(*POST, "Content-Length: 1000000", body=b"x" * 1_000_000)
    status, seen = caller.answer()
    assert (status, len(seen["body"])) == (200, 1_000_000)


def test_requests_sent_ahead_are_answered_in_their_order(server: Server) -> None:
    requests = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(20))
    caller = server.call().raw(requests)
    response = b""
    while response.count(b"PATH_INFO") < 20:
        response += caller.socket.recv(65_536)
    order = [response.find(b'"PATH_INFO": "/%d"' % number) for number in range(20)]
    assert order == sorted(order)
    assert -1 not in order


def test_a_client_that_expects_100_continue_is_told_to_go_on(server: Server) -> None:
    caller = server.call().send(*POST, "Expect: 100-continue", "Content-Length: 3")
    assert caller.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert caller.raw(b"abc").answer()[1]["body"] == "abc"


def test_a_client_that_expects_100_continue_is_refused_without_its_body(server: Server) -> None:
    caller = server.call().send(
        "POST /refuses HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: 3"
    )
    assert caller.answer()[0] == 401


def test_a_refusal_does_not_wait_for_the_body(server: Server) -> None:
    caller = server.call().send("POST /refuses HTTP/1.1", "Host: a", "Content-Length: 1000", body=b"x")
    assert caller.answer() == (401, {"text": "no token"})
    assert caller.is_closed()


def test_a_body_that_comes_late_reaches_the_application_once(server: Server) -> None:
    caller = server.call().send(*POST, "Content-Length: 6", body=b"abc")
    caller.socket.settimeout(1)
    with pytest.raises(TimeoutError):  # longer than the server waits before it looks at the head alone
        caller.socket.recv(1)
    caller.socket.settimeout(10)
    status, seen = caller.raw(b"def").answer()
    assert (status, seen["body"]) == (200, "abcdef")
    assert caller.send("GET /next HTTP/1.1", "Host: a").answer()[1]["PATH_INFO"] == "/next"


def test_a_get_with_a_body_leaves_nothing_for_the_next_request(server: Server) -> None:
    caller = server.call().send("GET / HTTP/1.1", "Host: a", "Content-Length: 3", body=b"abc")
    assert caller.answer()[1]["body"] == "abc"
    assert caller.send("GET /next HTTP/1.1", "Host: a").answer()[1]["PATH_INFO"] == "/next"


def test_a_client_that_has_said_all_gets_its_answer(server: Server) -> None:
    caller = server.call().send("GET / HTTP/1.1", "Host: a")
    caller.socket.shutdown(1)
    assert caller.answer()[0] == 200
    assert caller.is_closed()


@pytest.mark.parametrize("upgrade", ["h2c", "websocket"])
def test_an_upgrade_is_answered_as_a_plain_request(server: Server, upgrade: str) -> None:
    caller = server.call().send("GET /a HTTP/1.1", "Host: a", "Connection: Upgrade", f"Upgrade: {upgrade}")
    assert caller.answer()[1]["PATH_INFO"] == "/a"
    assert caller.send("GET /b HTTP/1.1", "Host: a").answer()[1]["PATH_INFO"] == "/b"


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    ("framing", "body"),
    [("Content-Length: 5", b"abcde"), (CHUNKED, b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")],
)
def test_the_body_of_a_request_that_asks_for_an_upgrade_is_read(
    server: Server, framing: str, body: bytes, *, at_once: bool
) -> None:
    """So do Java's client and curl --http2 with every first request."""
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAB")
    caller = server.call().send(*POST, *upgrade, framing, body=body if at_once else b"")
    if not at_once:
        caller.raw(body[:2]).raw(body[2:])
    status, seen = caller.answer()
    assert (status, seen["body"], seen["CONTENT_LENGTH"]) == (200, "abcde", "5")
    assert caller.send("GET /next HTTP/1.1", "Host: a").answer()[1]["PATH_INFO"] == "/next"


def test_a_length_reaches_the_application_in_one_form(server: Server) -> None:
    seen = server.call().send(*POST, "Content-Length: 003", body=b"abc").answer()[1]
    assert (seen["body"], seen["CONTENT_LENGTH"]) == ("abc", "3")
    assert server.call().send(*POST, "Content-Length: 00").answer()[1]["CONTENT_LENGTH"] == "0"


def test_trailers_take_no_memory(server: Server) -> None:
    before = memory_of(server)
    callers = [server.call().send(*POST, CHUNKED, body=b"0\r\n") for _ in range(3)]
    for caller in callers:
        caller.raw(b"a:b\r\n" * 1_000_000)
    for caller in callers:
        assert caller.raw(b"\r\n").answer()[0] == 200
    assert memory_of(server) - before < 50


def test_answers_are_not_made_ahead_for_a_client_that_does_not_read(server: Server) -> None:
    caller = server.call().raw(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n" * 30)
    with pytest.raises(AssertionError, match="all are answered"):
        eventually(lambda: all_big_answered(server), "all are answered", 1)
    read = 0
    while read < 30 * BIG_BYTES:
        read += len(caller.socket.recv(BIG_BYTES))
    assert all_big_answered(server)
    while caller.socket in select.select([caller.socket], [], [], 0.2)[0]:
        caller.socket.recv(BIG_BYTES)
    assert caller.send("GET /next HTTP/1.1", "Host: a").answer()[1]["PATH_INFO"] == "/next"


def test_too_many_requests_sent_ahead_are_refused_in_their_turn(server: Server) -> None:
    response, caller = b"", server.call().raw(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 500)
    while part := caller.socket.recv(65_536):
        response += part
    assert response.count(b"200 OK") >= 32
    assert b"without waiting for an answer" in response


def test_a_request_of_http_1_0_is_answered_and_closed(server: Server) -> None:
    caller = server.call().send("GET / HTTP/1.0")
    assert caller.answer()[0] == 200
    assert caller.is_closed()


def test_targets_are_decoded_once(server: Server) -> None:
    status, seen = server.call().send("GET /a%2Fb%20%25?q=%20 HTTP/1.1", "Host: a").answer()
    assert (status, seen["PATH_INFO"], seen["QUERY_STRING"]) == (200, "/a/b %", "q=%20")
    status, seen = server.call().send("GET http://b/c?d HTTP/1.1", "Host: b").answer()
    assert (status, seen["PATH_INFO"], seen["QUERY_STRING"]) == (200, "/c", "d")


def test_a_failing_application_is_a_500_and_the_next_request_works(server: Server) -> None:
    status, answer = server.call().send("GET /raises HTTP/1.1", "Host: a").answer()
    assert (status, answer["type"]) == (500, "server_error")
    assert server.echo()[0] == 200


def test_what_the_server_refuses_by_itself_has_an_access_line(tmp_path: Path) -> None:
    with serving(tmp_path / "log", {"LOG_FORMAT": "json"}) as server:
        assert server.call().send("GET / HTTP/1.1", "Host: a", "Content-Length: -1").answer()[0] == 400
        [line] = [json.loads(text) for text in server.log.splitlines() if '"log.logger":"access"' in text]
    assert (line["message"], line["http.response.status_code"], line["log.level"]) == ("request", 400, "info")
    assert {"http.request.method", "url.path"} <= line.keys()
    assert "event.duration" not in line
