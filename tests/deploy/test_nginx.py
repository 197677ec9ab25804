"""nginx's own configuration before real web processes and daphne."""

import json
import re
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

from devtools.driver.shop import DEMO_PASSWORD, PROCESSING, Shop, eventually
from devtools.reverse_proxy import ReverseProxy
from devtools.stack.stack import Stack
from tests.certificates import Authority
from tests.deploy.behind_nginx import Process
from tests.deploy.conftest import MONITOR
from tests.deploy.load import under_load

pytestmark = pytest.mark.nginx

NOBODY = 1
"""A port on which nobody listens."""


@pytest.fixture(scope="module")
def proxy(
    webs: list[Process], sockets: Process, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ReverseProxy]:
    folder = tmp_path_factory.mktemp("nginx")
    with ReverseProxy(folder, web=[web.port for web in webs], sockets=[sockets.port]) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def shop(proxy: ReverseProxy, stack: Stack) -> Iterator[Shop]:
    """The shop, seen through the reverse proxy."""
    address = f"localhost:{proxy.port}"
    shop = Shop(f"http://{address}", f"ws://{address}/ws/orders/", stack.env["SERVICE_API_KEY"])
    yield shop
    shop.http.close()


def answer_to(connection: socket.socket) -> tuple[int, str, str]:
    """Status, type of the content, and content of the next answer."""
    with HTTPResponse(connection) as response:
        response.begin()
        return response.status, response.getheader("Content-Type", ""), response.read().decode()


def code_of(content: str) -> str:
    [error] = json.loads(content)["errors"]
    return str(error["code"])


def test_an_order_is_placed_and_its_changes_are_told_through_one_address(shop: Shop) -> None:
    product, customer = shop.new_product(stock=5), shop.new_customer()
    with customer.listening() as listener:
        order = customer.place((product, 2))
        assert listener.wait_for("order:confirmed", order["id"])["order"]["stockStatus"] == "reserved"
    assert customer.wait_for_status(order["id"], PROCESSING)["status"] == PROCESSING


def test_a_socket_of_another_site_is_refused_through_the_proxy_too(shop: Shop) -> None:
    with (
        pytest.raises(Exception, match="403"),
        connect(shop.ws_url, origin=Origin("http://elsewhere.example")),
    ):
        pass


def test_a_page_finds_sockets_and_files_at_its_own_address(shop: Shop) -> None:
    page = shop.http.get("/login/")
    assert page.status_code == 200
    stylesheet = re.findall(r'href="(/static/[^"]+\.css)"', page.text)[0]
    assert shop.http.get(stylesheet).headers["content-type"].startswith("text/css")


def test_a_slow_body_holds_no_web_process(proxy: ReverseProxy, webs: list[Process]) -> None:
    body = json.dumps({"username": "alice", "password": DEMO_PASSWORD}).encode()
    head = (
        "POST /api/v1/auth/token/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=15) as connection:
        connection.sendall(head.encode() + body[:10])
        eventually(lambda: not any(map(connections_of, webs)), "no web process has a connection", 5)
        connection.sendall(body[10:])
        status, _, content = answer_to(connection)
    assert (status, "access" in json.loads(content)) == (200, True)


def connections_of(web: Process) -> list[object]:
    """The connections of clients of this process."""
    found = psutil.Process(web.pid).net_connections("tcp")
    return [each for each in found if each.status == "ESTABLISHED" and each.laddr.port == web.port]


@dataclass(frozen=True, kw_only=True)
class Large:
    """A request that is large in some way, and what becomes of it."""

    request: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    status: int
    code: str = ""

    @property
    def head(self) -> str:
        length = f"Content-Length: {len(self.body)}"
        lines = [f"{self.request} HTTP/1.1", "Host: localhost", length, "Connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines) + "\r\n\r\n"


PRODUCTS, ORDERS = "GET /api/v1/products/", "POST /api/v1/orders/"
MANY_HEADERS = {f"X-{number}": "a" * 15_000 for number in range(6)}


@pytest.mark.parametrize(
    "large",
    [
        Large(request=PRODUCTS, headers={"Cookie": "a" * 15_000}, status=200),
        Large(request=PRODUCTS, headers=MANY_HEADERS, status=431, code="too_large"),
        Large(request=ORDERS, body=b" " * 1_000_000, status=401, code="not_authenticated"),
        Large(request=ORDERS, body=b" " * 1_000_001, status=413, code="too_large"),
    ],
    ids=["header", "headers", "body", "too large body"],
)
def test_what_is_too_large_is_refused_as_the_web_processes_refuse_it(
    large: Large, proxy: ReverseProxy
) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=15) as connection:
        sender = threading.Thread(target=send, args=(connection, large.head, large.body))
        sender.start()
        status, kind, content = answer_to(connection)
        sender.join(15)
    assert (status, kind.partition(";")[0]) == (large.status, "application/json")
    assert not large.code or code_of(content) == large.code


def send(connection: socket.socket, head: str, body: bytes) -> None:
    """Sends a request; the server may close before it has read all of it."""
    try:
        connection.sendall(head.encode() + body)
    except OSError:
        return


def test_an_address_that_a_client_claims_is_not_believed(proxy: ReverseProxy) -> None:
    url = f"http://localhost:{proxy.port}/metrics"
    assert httpx.get(url, headers={"X-Forwarded-For": MONITOR}).status_code == 403


def test_the_sandbox_reaches_the_webhook_by_the_name_of_the_container(proxy: ReverseProxy) -> None:
    url = f"http://127.0.0.1:{proxy.port}/api/v1/products/"
    assert httpx.get(url, headers={"Host": "nginx:8080"}).status_code == 200
    assert httpx.get(url, headers={"Host": "web:8000"}).status_code == 400


def test_while_no_web_process_is_there_programs_get_json_and_people_a_page(tmp_path: Path) -> None:
    with ReverseProxy(tmp_path, web=[NOBODY], sockets=[NOBODY]) as proxy:
        api = httpx.get(f"http://localhost:{proxy.port}/api/v1/products/")
        page = httpx.get(f"http://localhost:{proxy.port}/cart/")
    assert (api.status_code, api.headers["retry-after"], code_of(api.text)) == (503, "5", "unavailable")
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert page.headers["content-type"] == "text/html; charset=utf-8"


def test_files_of_pages_are_there_while_no_web_process_is(
    behind_a_proxy: dict[str, str], tmp_path: Path
) -> None:
    web = Process.web(behind_a_proxy)
    with ReverseProxy(tmp_path, web=[web.port], sockets=[NOBODY]) as proxy:
        url = f"http://localhost:{proxy.port}"
        stylesheet = re.findall(r'href="(/static/[^"]+\.css)"', httpx.get(f"{url}/login/").text)[0]
        before = httpx.get(url + stylesheet)
        web.stop()
        after = httpx.get(url + stylesheet)
    assert (before.status_code, after.status_code) == (200, 200)
    assert before.content == after.content


def test_web_is_restarted_one_by_one_under_load_without_one_failed_request(
    shop: Shop, proxy: ReverseProxy, webs: list[Process]
) -> None:
    product, customer = shop.new_product(stock=1_000_000), shop.new_customer()
    with under_load(customer, shop.web_url, product, callers=4) as load:
        eventually(lambda: load.placed > 20, "orders are placed", 60)
        # The next one goes at once when the one before is back.
        for web in [*webs, *webs]:
            web.stop()
            web.start()
        placed_until_then = load.placed
        eventually(lambda: load.placed > placed_until_then + 20, "orders are placed", 60)
    assert load.failures == []
    # No order was placed twice by a request that was passed on.
    assert customer.call("GET", "orders/").json()["count"] == load.placed


@pytest.fixture(scope="module")
def tls_proxy(
    behind_a_proxy: dict[str, str], sockets: Process, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ReverseProxy, ssl.SSLContext]]:
    """The reverse proxy by HTTPS, with a web process for which cookies travel by HTTPS alone."""
    folder = tmp_path_factory.mktemp("nginx-tls")
    addresses = dict.fromkeys(("PUBLIC_URL", "FRONTEND_URL"), "https://localhost")
    secure = addresses | {"PUBLIC_WS_URL": "wss://localhost", "PLAIN_HTTP": "false", "DEMO": "false"}
    web = Process.web(behind_a_proxy | secure)
    proxy = ReverseProxy(folder, web=[web.port], sockets=[sockets.port], site="tls")
    authority = Authority(folder / "authority")
    proxy.certificates.mkdir()
    for source, name in zip(authority.issue("localhost"), ("certificate.pem", "key.pem"), strict=True):
        source.rename(proxy.certificates / name)
    with proxy:
        yield proxy, ssl.create_default_context(cafile=str(authority.certificate))
    web.stop()


def test_by_tls_pages_are_secure_and_plain_http_leads_there(
    tls_proxy: tuple[ReverseProxy, ssl.SSLContext],
) -> None:
    proxy, trust = tls_proxy
    with httpx.Client(verify=trust) as http:
        plain = http.get(f"http://localhost:{proxy.port}/login/?next=/cart/")
        page = http.get(f"https://localhost:{proxy.tls_port}/login/")
    assert (plain.status_code, plain.headers["location"]) == (301, "https://localhost/login/?next=/cart/")
    assert page.status_code == 200
    assert "max-age" in page.headers["strict-transport-security"]
    assert "Secure" in page.headers["set-cookie"]


def test_by_tls_http_2_is_offered_and_old_versions_are_not(
    tls_proxy: tuple[ReverseProxy, ssl.SSLContext],
) -> None:
    proxy, trust = tls_proxy
    trust.set_alpn_protocols(["h2", "http/1.1"])
    address = ("localhost", proxy.tls_port)
    with (
        socket.create_connection(address) as raw,
        trust.wrap_socket(raw, server_hostname="localhost") as secured,
    ):
        assert secured.selected_alpn_protocol() == "h2"
        assert secured.version() in {"TLSv1.2", "TLSv1.3"}


def test_by_tls_sockets_are_reached(tls_proxy: tuple[ReverseProxy, ssl.SSLContext], shop: Shop) -> None:
    proxy, _ = tls_proxy
    trust = ssl.create_default_context(cafile=str(proxy.certificates.parent / "authority" / "ca.pem"))
    with connect(f"wss://localhost:{proxy.tls_port}/ws/orders/", ssl=trust) as connection:
        connection.send(json.dumps({"type": "authenticate", "token": shop.staff.token}))
        assert json.loads(connection.recv(timeout=15))["type"] == "connected"


def test_a_certificate_is_replaced_without_one_failed_request(
    tls_proxy: tuple[ReverseProxy, ssl.SSLContext], tmp_path: Path
) -> None:
    proxy, trust = tls_proxy
    renewed = Authority(tmp_path, "the authority after it")
    trust.load_verify_locations(renewed.certificate)
    for source, name in zip(renewed.issue("localhost"), ("certificate.pem", "key.pem"), strict=True):
        source.replace(proxy.certificates / name)
    answers: list[int] = []
    ended = threading.Event()
    visitor = threading.Thread(target=visit, args=(proxy.tls_port, trust, answers, ended))
    visitor.start()
    try:
        eventually(lambda: len(answers) > 5, "pages are answered")
        proxy._process.send_signal(signal.SIGHUP)
        eventually(lambda: issuer(proxy.tls_port, trust) == "the authority after it", "the new one is shown")
        seen = len(answers)
        eventually(lambda: len(answers) > seen + 5, "pages are answered")
    finally:
        ended.set()
        visitor.join(20)
    assert set(answers) == {200}


def visit(port: int, trust: ssl.SSLContext, answers: list[int], ended: threading.Event) -> None:
    """Opens a page on a connection that stays open, and on a new one, in turn; 0 stands for no answer."""
    url = f"https://localhost:{port}/login/"
    with httpx.Client(verify=trust) as staying:
        while not ended.is_set():
            try:
                answers += [staying.get(url).status_code, httpx.get(url, verify=trust).status_code]
            except httpx.HTTPError:
                answers.append(0)


def issuer(port: int, trust: ssl.SSLContext) -> str:
    """The name of the authority that signed the certificate of a new connection."""
    with (
        socket.create_connection(("localhost", port)) as raw,
        trust.wrap_socket(raw, server_hostname="localhost") as secured,
    ):
        certificate: dict[str, Any] = secured.getpeercert() or {}
    [[(_, name)]] = certificate["issuer"]
    return str(name)
