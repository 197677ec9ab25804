"""What daphne lets in: sockets and the health checks, no bodies, and nobody who only holds a connection.

daphne has no options for this. It reads a body to its end, into a temporary file, before an application sees
the request, and waits without end for a request that comes byte by byte.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketProtocol
from django.conf import settings
from twisted.internet import reactor
from twisted.internet.protocol import connectionDone
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory

from foundation.metrics import HTTP_CONNECTIONS_CLOSED
from web.error_form import error_content
from web.households import household_of
from web.server.answers import refusal_bytes
from web.server.connections import Connections, most_connections

Message = dict[str, Any]
Application = Callable[..., Awaitable[None]]

HEALTH = {"/health/live", "/health/ready"}
NOT_FOUND = (HTTPStatus.NOT_FOUND, "not_found", "Not found.")


def health_alone(django: Application) -> Application:
    """ASGI: the health checks are for Django, everything else is not found here."""

    async def answer(scope: Message, receive: Application, send: Application) -> None:
        if scope["path"] in HEALTH:
            await django(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": int(NOT_FOUND[0]), "headers": headers})
        await send({"type": "http.response.body", "body": error_content(*NOT_FOUND)})

    return answer


class BodilessRequest(WebRequest):  # type: ignore[misc]  # daphne has no types
    """A request, refused as soon as its headers say that a body follows."""

    is_refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - twisted's name
        """The head is complete; the length is None where the body comes in chunks."""
        super().gotLength(0)
        if length != 0:
            self.is_refused = True
            self.channel.transport.write(refusal_bytes(*NOT_FOUND))
            self.channel.loseConnection()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - twisted's name
        """Keep nothing."""

    def process(self) -> Any:
        """Hand the request on, without headers that a client must not set."""
        if self.is_refused:
            return None
        for name, _ in list(self.requestHeaders.getAllRawHeaders()):
            # An underscore reads as a hyphen to applications; the other header moves their root.
            if b"_" in name or name.lower() == b"daphne-root-path":
                self.requestHeaders.removeHeader(name)
        return super().process()


class BoundedConnection(ProtocolWrapper):
    """A connection, which has HEAD_SECONDS to become a socket."""

    address = ""

    transport: Any
    factory: Any
    _timer: Any

    def makeConnection(self, transport: Any) -> None:  # noqa: N802 - twisted's name
        """Count the connection; close it where there is no place for it."""
        super().makeConnection(transport)
        self.address = household_of(str(getattr(self.getPeer(), "host", "")))
        self._timer = reactor.callLater(settings.HEAD_SECONDS, self._time_is_over)  # type: ignore[arg-type]
        if not self.factory.counted.add(self):
            self.give_way()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - twisted's name
        """Read; a socket is no longer bounded here but by the time it has to sign in, and by user."""
        super().dataReceived(data)
        if self._timer.active() and isinstance(self.wrappedProtocol, WebSocketProtocol):
            self._release()

    def connectionLost(self, reason: Any = connectionDone) -> None:  # noqa: N802 - twisted's name
        """Forget the connection."""
        self._release()
        super().connectionLost(reason)

    def give_way(self) -> None:
        """Close: another connection needs the place."""
        self._close("limit")

    def _time_is_over(self) -> None:
        self._close("slow_head")

    def _close(self, reason: str) -> None:
        HTTP_CONNECTIONS_CLOSED.labels(reason).inc()
        self.transport.abortConnection()

    def _release(self) -> None:
        self.factory.counted.remove(self)
        if self._timer.active():
            self._timer.cancel()


class BoundedFactory(WrappingFactory):
    """Makes these connections; in place of daphne's own factory."""

    protocol = BoundedConnection

    def __init__(self, server: Any) -> None:
        factory = HTTPFactory(server)
        super().__init__(factory)
        most = 0 if settings.TRUSTED_PROXIES else settings.CONNECTIONS_PER_ADDRESS
        self.counted = Connections(most=most_connections(), most_per_address=most)
