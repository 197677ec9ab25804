"""Pages that say what went wrong and where to go on: for people, where the API answers with JSON.

They show nothing of the caller and read no database, so that they can be shown whatever is down.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from foundation.tracing import trace_id
from web.no_store import NO_STORE
from web.page_language import in_language_of


class ErrorWords(NamedTuple):
    """The title of an error page, and what a person can do."""

    title: Promise
    advice: Promise


WORDS = {
    HTTPStatus.BAD_REQUEST: ErrorWords(
        gettext_lazy("We could not read this request"),
        gettext_lazy("Please go back and try it again."),
    ),
    HTTPStatus.FORBIDDEN: ErrorWords(
        gettext_lazy("This page is not for your account"),
        gettext_lazy("Sign in with an account that may open it, or ask an administrator for the right."),
    ),
    HTTPStatus.NOT_FOUND: ErrorWords(
        gettext_lazy("There is nothing at this address"),
        gettext_lazy("The link may be old or incomplete. Everything that is for sale is in the shop."),
    ),
    HTTPStatus.TOO_MANY_REQUESTS: ErrorWords(
        gettext_lazy("Too many attempts"),
        gettext_lazy("Please wait a moment, then try again. Nothing is lost."),
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: ErrorWords(
        gettext_lazy("Something went wrong on our side"),
        gettext_lazy("The error is recorded. Orders that were confirmed to you are safe."),
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: ErrorWords(
        gettext_lazy("We cannot show this just now"),
        gettext_lazy("A part of the shop is being restarted. Please try again in a few seconds."),
    ),
}

OUTDATED_FORM = ErrorWords(
    gettext_lazy("This form is no longer valid"),
    gettext_lazy("Please go back, load the page again, and send the form once more. Nothing was changed."),
)


def _trace_id(request: HttpRequest) -> str:
    """By which staff find what is logged of the request; empty where no middleware has seen it."""
    trace_parent = getattr(request, "trace_parent", "")
    return trace_id(trace_parent) if trace_parent else ""


def error_page(
    request: HttpRequest,
    status: HTTPStatus,
    sentence: str = "",
    headers: Mapping[str, str] | None = None,
    words: ErrorWords | None = None,
) -> HttpResponse:
    """The page for this status, in the language of the browser; `sentence` says what went wrong here.

    `words` are used instead of those of the status.
    """

    def page() -> HttpResponse:
        told = words or WORDS.get(status, WORDS[HTTPStatus.BAD_REQUEST])
        context = {
            "status": int(status),
            "words": told,
            "sentence": sentence,
            "needs_rights": told is WORDS[HTTPStatus.FORBIDDEN],
            "request_path": request.get_full_path(),
            "trace_id": _trace_id(request) if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "",
        }
        content = render_to_string("site/error.html", context)
        return HttpResponse(content, status=status, headers=NO_STORE | dict(headers or {}))

    return in_language_of(request, page)
