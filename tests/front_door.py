"""A test client that asks as the server does: plain requests first, then Django."""

from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from rest_framework.test import APIClient, ForceAuthClientHandler

from web.plain_requests import answer_plainly


class _PlainFirst(ForceAuthClientHandler):
    def __call__(self, environ: dict[str, Any]) -> Any:
        answer = answer_plainly(environ)
        if answer is None:
            return super().__call__(environ)
        response = HttpResponse(answer.body, status=answer.status, headers=answer.headers)
        response.wsgi_request = WSGIRequest(environ)  # type: ignore[attr-defined]
        return response


class FrontDoor(APIClient):
    """The API's client, at the application that the server runs."""

    def __init__(self, **defaults: Any) -> None:
        super().__init__(HTTP_HOST="testserver", **defaults)
        self.handler = _PlainFirst(enforce_csrf_checks=False)
