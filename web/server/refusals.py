"""What the server refuses by itself: status, code and sentence."""

from http import HTTPStatus

from foundation.metrics import HTTP_REQUESTS
from web.access_line import Access
from web.server.request import Request

Refusal = tuple[HTTPStatus, str, str]

REFUSAL = "web.refusal"
"""The key of a refusal in the environ; the application answers it (web/refused_requests.py)."""

MALFORMED = (HTTPStatus.BAD_REQUEST, "bad_request", "The request is malformed.")
TOO_MANY_HEADERS = (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too_large", "The headers are too large.")
TOO_LARGE = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", "The body is too large.")
TOO_MANY_AHEAD = (
    HTTPStatus.BAD_REQUEST,
    "bad_request",
    "Too many requests were sent without waiting for an answer.",
)
WRONG_VERSION = (HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "http_version", "Only HTTP/1.1 is spoken here.")
EXPECTATION = (HTTPStatus.EXPECTATION_FAILED, "expectation", "Only 100-continue can be expected.")
HEAD_TIMEOUT = (HTTPStatus.REQUEST_TIMEOUT, "timeout", "The headers took too long to arrive.")
BODY_TIMEOUT = (HTTPStatus.REQUEST_TIMEOUT, "timeout", "The body took too long to arrive.")
OVERLOADED = (HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", "The server has too much to do just now.")
FAILED = (HTTPStatus.INTERNAL_SERVER_ERROR, "error", "Server Error (500)")


def record_refusal(request: Request | None, status: HTTPStatus) -> None:
    """Count and log what no application has answered."""
    method, path = (request.method, request.environ.get("PATH_INFO", "")) if request else ("", "")
    HTTP_REQUESTS.labels(method or "other", "unmatched", int(status)).inc()
    Access(method, path, int(status)).log("info")
