"""JSON answers of the API, successes and errors, of views and of the fast path: all are written here."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request


def _plain(value: object) -> object:
    """An int of another class, such as a 64-bit integer of MongoDB, as a number; anything else as text."""
    return int(value) if isinstance(value, int) else str(value)


to_json = msgspec.json.Encoder(enc_hook=_plain).encode
"""Compact JSON; strings that are computed late, such as translated ones, are written as text."""


class JsonRenderer(JSONRenderer):
    """Writes what a view answers; indented for browsable pages and `Accept: application/json; indent=4`."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The body; empty for None."""
        if data is None:
            return b""
        if self.get_indent(accepted_media_type or "", dict(renderer_context or {})) is not None:
            return super().render(data, accepted_media_type, renderer_context)
        return to_json(data)


class FormatBeforeAccept(DefaultContentNegotiation):
    """Answers in the form that `?format=` names, whatever `Accept` says, which many clients always send."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The renderer and its media type. Raises Http404 for a form that the route does not have."""
        named = format_suffix or request.query_params.get(self.settings.URL_FORMAT_OVERRIDE)
        if not named:
            chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
            return chosen
        renderer = self.filter_renderers(renderers, named)[0]
        return renderer, str(renderer.media_type)
