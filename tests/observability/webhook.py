"""An HTTP server that keeps what Alertmanager sends it."""

import json
import queue
from typing import Any, NamedTuple

from devtools.driver.patience import PATIENCE_SECONDS
from tests.local_server import LocalServer, Request


class Notice(NamedTuple):
    """What was sent: the receiver's name in Alertmanager's routes, and the message, decoded."""

    receiver: str
    message: dict[str, Any]


class Webhook(LocalServer):
    """Keeps the messages until the test takes them."""

    def __init__(self) -> None:
        super().__init__()
        self._notices: queue.Queue[Notice] = queue.Queue()

    def next_notice(self, seconds: float = PATIENCE_SECONDS) -> Notice:
        """The next message that comes. Raises queue.Empty if none comes in this time."""
        return self._notices.get(timeout=seconds)

    def post(self, request: Request) -> None:
        self._notices.put(Notice(request.path.strip("/"), json.loads(request.body())))
        request.answer()
