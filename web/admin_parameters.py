"""Parameters of the admin's pages that mean nothing: they are told, and never a server error.

Django checks some of them, and leaves others to the field, to Python or to PostgreSQL: a year beyond all
dates, an id that is none, a character that no text can hold.
"""

import structlog
from django.contrib import messages
from django.core.exceptions import FieldError, ValidationError
from django.db import DataError, ProgrammingError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from web.errors import page_not_found
from web.middleware import View
from web.viewer_zone import zone_of

# Of Python, of Django's fields, and of PostgreSQL; the log has the traceback, in case the error is ours.
MEANINGLESS = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    ValidationError,
    FieldError,
    DataError,
    ProgrammingError,
)

log = structlog.get_logger(__name__)


class AdminParameters:
    """Middleware for the admin: its times are in the viewer's zone, and no parameter makes a server error."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request; a page of the admin in the zone of the viewer."""
        if not request.path_info.startswith("/admin/"):
            return self.get_response(request)
        with timezone.override(zone_of(request)):
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The answer in place of a 500; None where no parameter can be the reason."""
        if not isinstance(exception, MEANINGLESS) or not request.path.startswith(reverse("admin:index")):
            return None
        if not request.GET and request.method != "POST":
            return self._without_such_object(request, exception)
        log.warning("admin parameters refused", path=request.path, exc_info=exception)
        sentence = "Nothing was done: a parameter of the address or a field of the form has no meaning here."
        messages.error(request, sentence)
        return HttpResponseRedirect(request.path)

    def _without_such_object(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """404 for a path with an id; without one the exception is an error of ours."""
        has_id = request.resolver_match and request.resolver_match.kwargs
        return page_not_found(request, Http404(str(exception))) if has_id else None
