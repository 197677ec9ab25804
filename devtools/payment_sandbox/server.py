"""The HTTP server of the sandbox: one thread a connection, which stays open between requests."""

import base64
import hmac
import json
import secrets
import socket
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import urlsplit

from devtools.payment_sandbox.errors import GatewayError
from devtools.payment_sandbox.gateway import AnswerLost, Gateway
from devtools.payment_sandbox.idempotency import Answer

_IDLE_SECONDS = 60
_LARGEST_BODY = 64 * 1024
_HEALTH = "/health"


class SandboxServer(ThreadingHTTPServer):
    """Listens for requests with one secret key."""

    request_queue_size = 128

    def __init__(self, address: tuple[str, int], gateway: Gateway, key: str) -> None:
        super().__init__(address, SandboxHandler)
        self.gateway, self.key = gateway, key

    def handle_error(self, request: object, client_address: object) -> None:
        """Callers that go away are no error."""


class SandboxHandler(BaseHTTPRequestHandler):
    """One connection."""

    server: SandboxServer
    protocol_version = "HTTP/1.1"
    server_version = "Stockbridge-payment-sandbox"
    sys_version = ""
    timeout: ClassVar[int] = _IDLE_SECONDS
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """One object or a page of them; `/health` needs no key, and tells how many webhooks wait."""
        url = urlsplit(self.path)
        if url.path == _HEALTH:
            self._send(Answer(200, json.dumps(self.server.gateway.health())))
        else:
            self._answer(lambda: self.server.gateway.get(url.path.rstrip("/"), url.query))

    def do_POST(self) -> None:
        """A new payment or refund."""
        body = self._body()
        if body is not None:
            key = self.headers.get("Idempotency-Key", "")
            self._answer(lambda: self.server.gateway.post(self.path.rstrip("/"), body, key))

    def do_DELETE(self) -> None:
        """No route takes this method."""
        self.close_connection = True  # a body stays unread
        self._send(_refusal(GatewayError(404, f"Unrecognized request URL ({self.command}: {self.path}).")))

    do_PUT = do_PATCH = do_DELETE  # noqa: N815 -- the names in http.server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name in http.server
        """No line for each request: bodies and URLs may carry what must not be in logs."""

    def _answer(self, answer: Callable[[], Answer]) -> None:
        try:
            self._require_key()
            self._send(answer())
        except GatewayError as error:
            self._send(_refusal(error))
        except AnswerLost:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _require_key(self) -> None:
        scheme, _, sent = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            sent = base64.b64decode(sent, validate=False).decode(errors="replace").partition(":")[0]
        if not hmac.compare_digest(sent.encode(), self.server.key.encode()):
            raise GatewayError(401, "Invalid API Key provided.")

    def _body(self) -> str | None:
        """The form that was sent; None, with the refusal sent, where its length is missing or too large."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LARGEST_BODY:
            self.close_connection = True
            self._send(_refusal(GatewayError(413, "The body is too large or has no length.")))
            return None
        return self.rfile.read(int(length)).decode(errors="replace")

    def _send(self, answer: Answer) -> None:
        content = answer.body.encode()
        head = (
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
            f"Request-Id: req_{secrets.token_hex(7)}\r\n"
            + "Idempotent-Replayed: true\r\n" * answer.is_replayed
            + "\r\n"
        )
        self.wfile.write(head.encode() + content)


def _refusal(error: GatewayError) -> Answer:
    return Answer(error.status, json.dumps(error.body))
