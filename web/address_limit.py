"""Each request of the API counts for its address, before anything is done for it."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from web.errors import error_answer, is_api
from web.middleware import View
from web.no_store import forbid_storing
from web.throttles import AddressThrottle, require_unthrottled


def limit_addresses(get_response: View) -> View:
    """Middleware: refuse requests of the API from an address that has sent too many."""

    def limited(request: HttpRequest) -> HttpResponse:
        try:
            if is_api(request):
                require_unthrottled(cast("Request", request), [AddressThrottle])
        except Throttled as refusal:
            return _refused(refusal, request)
        return get_response(request)

    return limited


def _refused(refusal: Throttled, request: HttpRequest) -> HttpResponse:
    response = cast("HttpResponse", error_answer(refusal, request, BaseAuthentication()))
    forbid_storing(response)
    return response
