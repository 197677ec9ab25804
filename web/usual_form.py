"""Which requests have the form that programs and browsers usually send: the fast path answers those alone."""

from functools import lru_cache
from wsgiref.types import WSGIEnvironment

from django.conf import settings

from web.server.refusals import REFUSAL

JSON = "application/json"
IS_JSON = {JSON, f"{JSON};charset=utf-8"}
# What a client accepts besides JSON makes no difference, unless the browsable pages are among it.
ACCEPTED_AS_JSON = {JSON, "application/*", "*/*"}
NEVER_ACCEPTED_AS_PAGE = {*ACCEPTED_AS_JSON, "text/plain", "text/javascript", "application/javascript"}
HEADERS_REMEMBERED = 500
LONGEST_HEADER = 200


def has_usual_form(environ: WSGIEnvironment) -> bool:
    """Whether this is a POST of JSON, with a host and a declared and allowed length, that asks for JSON."""
    length = environ.get("CONTENT_LENGTH", "")
    return bool(
        environ["REQUEST_METHOD"] == "POST"
        and is_json(environ.get("CONTENT_TYPE", "")[:LONGEST_HEADER])
        and accepts_json(environ.get("HTTP_ACCEPT", "*/*")[:LONGEST_HEADER])
        and length.isdecimal()
        and int(length) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        and environ["PATH_INFO"].isascii()  # WSGI gives other paths undecoded
        and not environ.get("QUERY_STRING")
        and not environ.get("SCRIPT_NAME")
        and REFUSAL not in environ
        and environ.get("HTTP_HOST")
    )


@lru_cache(HEADERS_REMEMBERED)
def is_json(content_type: str) -> bool:
    """Whether the header means JSON in UTF-8."""
    return content_type.lower().replace(" ", "").replace('"', "") in IS_JSON


@lru_cache(HEADERS_REMEMBERED)
def accepts_json(accept: str) -> bool:
    """Whether the header asks for JSON and for nothing that a view would rather answer with.

    One that refuses a type (`q=0`) or has other parameters than weights is for the view.
    """
    parts = [part.replace(" ", "").lower().partition(";") for part in accept.split(",")]
    types = {media_type for media_type, _, _ in parts}
    weights = {weight for _, _, weight in parts}
    return (
        not types.isdisjoint(ACCEPTED_AS_JSON)
        and types <= NEVER_ACCEPTED_AS_PAGE
        and all(
            weight == "" or (weight.startswith(("q=0.", "q=1")) and weight.strip("q=0."))
            for weight in weights
        )
    )
