"""Answers as bytes of HTTP/1.1."""

import time
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from web.error_form import error_content

BODILESS = {"204", "304"}


def head_bytes(status: str, headers: Iterable[tuple[str, str]], *, close: bool) -> bytes:
    """The status line and the headers."""
    lines = [f"HTTP/1.1 {status}\r\nDate: {_date(int(time.time()))}\r\n"]
    lines += [f"{name}: {value}\r\n" for name, value in headers]
    lines.append("Connection: close\r\n\r\n" if close else "\r\n")
    return "".join(lines).encode("latin-1")


@lru_cache(2)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def refusal_bytes(status: HTTPStatus, code: str, detail: str) -> bytes:
    """An error in the form of the API, after which the connection is closed."""
    content = error_content(status, code, detail)
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append(("Retry-After", "1"))
    return head_bytes(f"{status} {status.phrase}", headers, close=True) + content


def has_content(method: str, status: str) -> bool:
    """Whether an answer of this status has a body."""
    return method != "HEAD" and status[:3] not in BODILESS
