"""The messages that a client may send over a socket."""

from typing import Any

import msgspec
from msgspec import Struct


class Authenticate(Struct, frozen=True, rename="camel"):
    """Authenticates the client by its access token, or by its session cookie if there is no token.

    A token of any form is let through: it is a bad token then, and the message is well-formed.
    `last_event_id` is the last event that the client has seen.
    """

    token: Any = None
    last_event_id: str | None = None


class SubscribeToOrders(Struct, frozen=True):
    """Asks for the messages about orders from now on."""


class Ping(Struct, frozen=True):
    """Asks for a pong."""


ClientMessage = Authenticate | SubscribeToOrders | Ping

MESSAGE_TYPES: dict[str, type[ClientMessage]] = {
    "authenticate": Authenticate,
    "subscribe:orders": SubscribeToOrders,
    "ping": Ping,
}


class InvalidClientMessage(Exception):
    """A message that cannot be understood; `code` is for programs, `detail` for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class _Envelope(Struct):
    type: str


def decode(payload: bytes) -> ClientMessage:
    """Decode a message from JSON. Raises InvalidClientMessage."""
    try:
        message_type = msgspec.json.decode(payload, type=_Envelope).type
        if message_type not in MESSAGE_TYPES:
            raise InvalidClientMessage("unknown_type", f"There is no message of type {message_type[:100]!r}.")
        return msgspec.json.decode(payload, type=MESSAGE_TYPES[message_type])
    except msgspec.ValidationError as error:
        raise InvalidClientMessage("invalid_message", str(error)) from error
    except RecursionError as error:
        raise InvalidClientMessage("invalid_json", "The message is nested too deep.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidClientMessage("invalid_json", "The message is not JSON.") from error
