"""What the sandbox answers where it refuses: the error object of https://docs.stripe.com/api/errors."""

from typing import Any


class GatewayError(Exception):
    """A refusal, with its HTTP status and the fields of Stripe's error object."""

    def __init__(
        self, status: int, message: str, *, kind: str = "invalid_request_error", **fields: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "message": message, **fields}}
