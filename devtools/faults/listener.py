"""A customer's browser: keeps a socket open, and comes back with the last event it has seen."""

import json
import threading

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from devtools.driver.shop import Caller
from devtools.faults.actor import Actor
from devtools.faults.journal import Connection, Journal

_HEARING_SECONDS = 0.2


class Listener(Actor):
    """Notes every version that it hears, connection by connection."""

    def __init__(self, name: str, journal: Journal, seed: int, caller: Caller) -> None:
        super().__init__(name, journal, seed)
        self._caller = caller
        self.is_subscribed = threading.Event()
        self._last_event_id = ""

    def act(self) -> None:
        """One connection, for as long as it lasts."""
        try:
            with connect(f"{self._caller.ws_url}/ws/orders/", open_timeout=10, close_timeout=1) as socket:
                self._introduce(socket)
                self._listen(socket)
        except (OSError, TimeoutError, ConnectionClosed, InvalidHandshake):
            self.rest(0.05, 0.5)

    def _introduce(self, socket: ClientConnection) -> None:
        hello = {"type": "authenticate", "token": self._caller.token}
        if self._last_event_id:
            hello["lastEventId"] = self._last_event_id
        socket.send(json.dumps(hello))
        socket.send(json.dumps({"type": "subscribe:orders"}))

    def _listen(self, socket: ClientConnection) -> None:
        connection = Connection(self._caller.user_id)
        self.journal.connections.append(connection)
        while not self.stopped.is_set():
            try:
                message = json.loads(socket.recv(timeout=_HEARING_SECONDS))
            except TimeoutError:
                continue
            if "eventId" in message:
                connection.heard.append((message["orderId"], message["version"]))
                self._last_event_id = message["eventId"]
            elif message["type"] == "subscribed:orders":
                self.is_subscribed.set()
            elif message["type"] != "connected":
                self.journal.complaints.append(f"{self.name}: heard {message}")

    @property
    def has_heard(self) -> bool:
        """Whether anything was heard yet: from then on nothing may be missed."""
        return bool(self._last_event_id)
