"""A target for Prometheus whose metrics a test sets."""

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

_HOST = "127.0.0.1"


class Exposition:
    """Listens on a free port within a `with`; `text` is what it answers, in Prometheus' format."""

    def __init__(self) -> None:
        self.text = ""
        self._server = ThreadingHTTPServer((_HOST, 0), _handler(self))

    @property
    def address(self) -> str:
        return f"{_HOST}:{self._server.server_port}"

    def show(self, *series: str) -> None:
        """Answer with these series from now on, such as `stockbridge_dead_letters{group="g"} 1`."""
        self.text = "".join(f"{each}\n" for each in series)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(exposition: Exposition) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(exposition.text.encode())

        def log_message(self, *_: object) -> None: ...

    return Handler
