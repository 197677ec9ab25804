"""What a client may say over a socket."""

import msgspec
from msgspec import Struct


class Authenticate(Struct, frozen=True, rename="camel"):
    """Who the client is, and the last event it has seen; without a token its session cookie speaks."""

    token: str | None = None
    last_event_id: str | None = None


class SubscribeToOrders(Struct, frozen=True):
    """Send me what happens to orders from now on."""


class Ping(Struct, frozen=True):
    """Are you there?"""


ClientMessage = Authenticate | SubscribeToOrders | Ping

MESSAGE_TYPES: dict[str, type[ClientMessage]] = {
    "authenticate": Authenticate,
    "subscribe:orders": SubscribeToOrders,
    "ping": Ping,
}


class InvalidClientMessage(Exception):
    """A message that means nothing; `code` is for programs, `detail` says it in words."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class _Envelope(Struct):
    type: str


def decode(payload: bytes) -> ClientMessage:
    """The message in this JSON. Raises InvalidClientMessage where it is none of ours."""
    try:
        name = msgspec.json.decode(payload, type=_Envelope).type
        if name not in MESSAGE_TYPES:
            raise InvalidClientMessage("unknown_type", f"There is no message of type {name[:100]!r}.")
        return msgspec.json.decode(payload, type=MESSAGE_TYPES[name])
    except msgspec.ValidationError as error:
        raise InvalidClientMessage("invalid_message", str(error)) from error
    except RecursionError as error:
        raise InvalidClientMessage("invalid_json", "The message is nested too deep.") from error
    except msgspec.DecodeError as error:
        raise InvalidClientMessage("invalid_json", "The message is not JSON.") from error
