"""One customer's socket, which notes when it receives messages of one type about orders."""

import json
import threading
import time

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


class OrderSocket(threading.Thread):
    """A socket that is authenticated and subscribed when it is created; a context manager."""

    def __init__(self, url: str, token: str, kind: str = "order:confirmed") -> None:
        super().__init__(daemon=True)
        self.heard: dict[str, float] = {}
        self._kind = kind
        self._connection = connect(url)
        self._request({"type": "authenticate", "token": token})
        self._request({"type": "subscribe:orders"})

    def _request(self, message: dict[str, str]) -> None:
        self._connection.send(json.dumps(message))
        self._connection.recv(timeout=10)

    def __enter__(self) -> "OrderSocket":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self.join()

    def run(self) -> None:
        """Receive until the socket is closed."""
        while True:
            try:
                text = self._connection.recv()
            except ConnectionClosed:
                return
            now = time.monotonic()
            message = json.loads(text)
            if message["type"] == self._kind:
                self.heard.setdefault(message["orderId"], now)
