"""For endpoints with two adapters, the fast path and the view: which of them answered, and its answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from pymongo import MongoClient
from rest_framework.views import APIView

TO_THE_VIEW = {"Accept": "application/json, text/html;q=0.5"}
"""An `Accept` header with weights: the fast path leaves such a request to the view."""


def note_dispatches(view: type[APIView], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Records the paths of the requests that reach this view from now on."""
    seen: list[str] = []
    dispatch = view.dispatch

    def noted(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(request.path)
        return dispatch(self, request, *args, **kwargs)

    monkeypatch.setattr(view, "dispatch", noted)
    return seen


def content_of(response: Any) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer, without the trace, which differs for each request."""
    headers = {name: value for name, value in response.items() if name != "X-Request-Id"}
    return response.status_code, headers, response.content


@contextmanager
def mongodb_counts(*path: str) -> Iterator[list[int]]:
    """The growth of this figure of MongoDB's server status in the block."""
    with MongoClient[dict[str, Any]](settings.MONGODB_URI) as client:

        def figure() -> int:
            value: Any = client.admin.command("serverStatus")
            for name in path:
                value = value[name]
            return int(value)

        before, growth = figure(), [0]
        yield growth
        growth[0] = figure() - before
