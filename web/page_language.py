"""Pages in the language that was chosen at the foot of a page, else that of Accept-Language; of LANGUAGES."""

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest, HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language_from_request, override

Response = TypeVar("Response", bound=HttpResponseBase)


def in_language_of(request: HttpRequest, respond: Callable[[], Response]) -> Response:
    """What `respond` gives, written in the language of the request.

    Django's LocaleMiddleware would do so for every answer, the API's errors included, which are in English.
    """
    language = get_language_from_request(request)
    with override(language):
        response = respond()
        if isinstance(response, SimpleTemplateResponse):
            response.render()
    response.headers["Content-Language"] = language
    patch_vary_headers(response, ["Accept-Language"])
    return response
