"""Answers to requests that the server refuses to read, with the headers and the log line of all answers."""

from django.http import HttpRequest, HttpResponse

from web.errors import error_response
from web.middleware import View
from web.server.refusals import REFUSAL


def answer_refused(get_response: View) -> View:
    """Middleware: answer a request whose body the server has refused, in the form of all errors."""

    def answered(request: HttpRequest) -> HttpResponse:
        refusal = request.META.get(REFUSAL)
        return error_response(*refusal) if refusal else get_response(request)

    return answered
