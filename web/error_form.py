"""Errors for what answers without Django: `{"type", "errors": [{"code", "detail", "attr"}]}`."""

from http import HTTPStatus

import msgspec


def error_content(status: HTTPStatus, code: str, detail: str) -> bytes:
    """One error that is about no field, as JSON."""
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "client_error"
    return msgspec.json.encode({"type": kind, "errors": [{"code": code, "detail": detail, "attr": None}]})
