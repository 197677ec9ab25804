"""The gateway's connections go through the proxy of the environment."""

import socketserver
import threading
from collections.abc import Iterator

import pytest
import stripe

from orders_app.payments.http_client import HttpClient


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy that forwards nothing; `asked` is the head of each request."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Conversation)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Conversation(socketserver.StreamRequestHandler):
    server: Proxy

    def handle(self) -> None:
        self.server.asked.append("".join(iter(lambda: self.rfile.readline().decode().strip(), "")))
        self.wfile.write(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with Proxy() as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server
        server.shutdown()


def ask(address: str) -> int:
    client = HttpClient(address, answer_seconds=5)
    try:
        return client.request("get", f"{address}/v1/x", {})[1]
    except stripe.APIConnectionError:
        return 0
    finally:
        client.close()


def test_a_gateway_is_reached_through_the_proxy_with_its_password(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://shop:rose%20bud@{proxy.address}")
    monkeypatch.setenv("HTTP_PROXY", proxy.address)
    assert ask("https://gateway.invalid") == 0
    assert ask("http://gateway.invalid") == 407
    [secure, plain] = proxy.asked
    assert secure.startswith("CONNECT gateway.invalid:443")
    assert "Basic c2hvcDpyb3NlIGJ1ZA==" in secure
    assert plain.startswith("GET http://gateway.invalid/v1/x")


@pytest.mark.parametrize("address", ["http://gateway.invalid", "http://127.0.0.1:1"])
def test_no_proxy_is_asked_for_what_is_excepted_or_on_this_machine(
    address: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.address}")
    monkeypatch.setenv("NO_PROXY", "gateway.invalid")
    assert ask(address) == 0
    assert proxy.asked == []
