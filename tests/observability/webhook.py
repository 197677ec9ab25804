"""An HTTP server that keeps what Alertmanager sends it."""

import json
import queue
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

_HOST = "127.0.0.1"


class Notice(NamedTuple):
    """What was sent: the receiver's name in Alertmanager's routes, and the message, decoded."""

    receiver: str
    message: dict[str, Any]


class Webhook:
    """Listens on a free port within a `with`."""

    def __init__(self) -> None:
        self._notices: queue.Queue[Notice] = queue.Queue()
        self._server = ThreadingHTTPServer((_HOST, 0), _handler(self._notices))

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self._server.server_port}"

    def next_notice(self, seconds: float = 30) -> Notice:
        """The next message that comes. Raises queue.Empty if none comes in this time."""
        return self._notices.get(timeout=seconds)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(notices: "queue.Queue[Notice]") -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            notices.put(Notice(self.path.strip("/"), json.loads(body)))
            self.send_response(HTTPStatus.OK)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    return Handler
