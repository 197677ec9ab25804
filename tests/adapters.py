"""For endpoints with two adapters, the fast path and the view: which of them answered, and what it said."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from pymongo import MongoClient
from rest_framework.views import APIView

TO_THE_VIEW = {"Accept": "application/json, text/html;q=0.5"}
"""A choice of media types that has to be weighed: the fast path leaves such a request to the view."""


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


@contextmanager
def mongodb_counts(*path: str) -> Iterator[list[int]]:
    """By how much this figure of MongoDB's server status grows in the block."""
    with MongoClient[dict[str, Any]](settings.MONGODB_URI) as client:

        def figure() -> int:
            value: Any = client.admin.command("serverStatus")
            for name in path:
                value = value[name]
            return int(value)

        before, growth = figure(), [0]
        yield growth
        growth[0] = figure() - before
