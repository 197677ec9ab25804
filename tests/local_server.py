"""HTTP servers in threads of the tests, for what the system and its tools call."""

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

_HOST = "127.0.0.1"


class LocalServer(ThreadingHTTPServer):
    """Listens on a free port within a `with`; a subclass answers GET, or POST, or both."""

    def __init__(self) -> None:
        super().__init__((_HOST, 0), Request)

    @property
    def address(self) -> str:
        return f"{_HOST}:{self.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def get(self, request: "Request") -> None:
        request.answer(status=HTTPStatus.NOT_IMPLEMENTED)

    def post(self, request: "Request") -> None:
        request.answer(status=HTTPStatus.NOT_IMPLEMENTED)

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=[0.01], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Request(BaseHTTPRequestHandler):
    """A request to a LocalServer."""

    server: LocalServer

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def answer(
        self, content: bytes = b"", *, kind: str = "text/plain", status: HTTPStatus = HTTPStatus.OK
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        self.server.get(self)

    def do_POST(self) -> None:
        self.server.post(self)

    def log_message(self, *_: object) -> None: ...
