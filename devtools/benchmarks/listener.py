"""One customer's socket, which notes when it hears that an order is confirmed."""

import json
import threading
import time

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


class Listener(threading.Thread):
    """Authenticated and subscribed when made; a context manager."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(daemon=True)
        self.confirmed: dict[str, float] = {}
        self._connection = connect(url)
        self._ask({"type": "authenticate", "token": token})
        self._ask({"type": "subscribe:orders"})

    def _ask(self, message: dict[str, str]) -> None:
        self._connection.send(json.dumps(message))
        self._connection.recv(timeout=10)

    def __enter__(self) -> "Listener":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self.join()

    def run(self) -> None:
        """Listen until the socket is closed."""
        while True:
            try:
                text = self._connection.recv()
            except ConnectionClosed:
                return
            now = time.monotonic()
            message = json.loads(text)
            if message["type"] == "order:confirmed":
                self.confirmed.setdefault(message["orderId"], now)
