"""A customer's browser: keeps a socket open, and reconnects with the last event that it received."""

import json
import threading

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from devtools.driver.shop import Caller
from devtools.faults.client import Client
from devtools.faults.observations import Connection, Observations

_POLL_SECONDS = 0.2


class SocketClient(Client):
    """Notes every version that it receives, connection by connection."""

    def __init__(self, name: str, observations: Observations, seed: int, caller: Caller) -> None:
        super().__init__(name, observations, seed)
        self._caller = caller
        self.is_subscribed = threading.Event()
        self._last_event_id = ""

    def act(self) -> None:
        """One connection, for as long as it lasts."""
        try:
            with connect(f"{self._caller.ws_url}/ws/orders/", open_timeout=10, close_timeout=1) as socket:
                self._subscribe(socket)
                self._receive(socket)
        except (OSError, TimeoutError, ConnectionClosed, InvalidHandshake):
            self.pause(0.05, 0.5)

    def _subscribe(self, socket: ClientConnection) -> None:
        authenticate = {"type": "authenticate", "token": self._caller.token}
        if self._last_event_id:
            authenticate["lastEventId"] = self._last_event_id
        socket.send(json.dumps(authenticate))
        socket.send(json.dumps({"type": "subscribe:orders"}))

    def _receive(self, socket: ClientConnection) -> None:
        connection = Connection(self._caller.user_id)
        self.observations.connections.append(connection)
        while not self.stopped.is_set():
            try:
                message = json.loads(socket.recv(timeout=_POLL_SECONDS))
            except TimeoutError:
                continue
            if "eventId" in message:
                connection.received.append((message["orderId"], message["version"]))
                self._last_event_id = message["eventId"]
            elif message["type"] == "subscribed:orders":
                self.is_subscribed.set()
            elif message["type"] != "connected":
                self.observations.unexpected.append(f"{self.name}: received {message}")

    @property
    def has_received(self) -> bool:
        """Whether it has received an event: from the first one on it may miss none."""
        return bool(self._last_event_id)
