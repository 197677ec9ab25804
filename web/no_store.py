"""Answers with tokens or orders, which nobody on their way may keep."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from rest_framework.response import Response
from rest_framework.views import APIView

NO_STORE = {"Cache-Control": "no-store"}


def forbid_storing(response: HttpResponseBase) -> None:
    """Set the header on this response."""
    for name, value in NO_STORE.items():
        response[name] = value


class NoStore(APIView):
    """A view whose answers, refusals included, are not to be stored."""

    def finalize_response(self, request: HttpRequest, response: Any, *args: Any, **kwargs: Any) -> Response:
        """The response, with the header."""
        finalized = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[arg-type]
        forbid_storing(finalized)
        return finalized
