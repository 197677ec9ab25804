"""Which requests have the form that programs and browsers usually send: the fast path answers those alone."""

from wsgiref.types import WSGIEnvironment

from django.conf import settings

from web.server.refusals import REFUSAL

JSON = "application/json"
# As the usual clients write them; a media type that has to be weighed against others is for the view.
IS_JSON = {JSON, f"{JSON}; charset=utf-8", f"{JSON};charset=utf-8"}
ACCEPTS_JSON = {"*/*", JSON, f"{JSON}, */*", f"{JSON}, text/plain, */*"}


def has_usual_form(environ: WSGIEnvironment) -> bool:
    """Whether this is a POST of JSON, with a host and a declared and allowed length, that asks for JSON."""
    length = environ.get("CONTENT_LENGTH", "")
    return bool(
        environ["REQUEST_METHOD"] == "POST"
        and environ.get("CONTENT_TYPE") in IS_JSON
        and environ.get("HTTP_ACCEPT", "*/*") in ACCEPTS_JSON
        and length.isdecimal()
        and int(length) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        and environ["PATH_INFO"].isascii()  # WSGI gives other paths undecoded
        and not environ.get("QUERY_STRING")
        and not environ.get("SCRIPT_NAME")
        and REFUSAL not in environ
        and environ.get("HTTP_HOST")
    )
