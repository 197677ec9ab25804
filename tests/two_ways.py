"""For requests that have a short way besides their view: which of the two answered, and what it said."""

from typing import Any

import pytest
from rest_framework.views import APIView

ANY_JSON = "application/json, text/html;q=0.5"
"""An `Accept` with a choice of media types to be weighed: such a request is not plain."""


def note_dispatches(view: type[APIView], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the requests that come to this view from now on."""
    seen: list[str] = []
    dispatch = view.dispatch

    def noted(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(request.path)
        return dispatch(self, request, *args, **kwargs)

    monkeypatch.setattr(view, "dispatch", noted)
    return seen


def told(response: Any) -> tuple[int, dict[str, str], bytes]:
    """All that an answer says, but for the trace, which is each request's own."""
    headers = {name: value for name, value in response.items() if name != "X-Request-Id"}
    return response.status_code, headers, response.content
