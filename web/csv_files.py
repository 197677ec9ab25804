"""Tables as CSV (RFC 4180, UTF-8), for clients that ask by `Accept: text/csv` or `?format=csv`."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from io import TextIOWrapper
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, TextIO, cast

from django.http import FileResponse
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from web.rendering import JsonRenderer, to_json

MEDIA_TYPE = "text/csv"
IN_MEMORY_BYTES = 1_000_000
FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Spreadsheets execute text that begins so: https://owasp.org/www-community/attacks/CSV_Injection."""


class CsvRenderer(BaseRenderer):
    """Lets a route be asked for CSV; its view answers such requests with `csv_file`, refusals excepted."""

    media_type = MEDIA_TYPE
    format = "csv"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """What is not a table, as JSON."""
        return to_json(data)


class CsvOnRequest(APIView):
    """A view that answers with JSON, a browsable page or CSV; a request for CSV is refused in JSON."""

    renderer_classes = (JsonRenderer, CsvRenderer, BrowsableAPIRenderer)

    @property
    def is_csv_wanted(self) -> bool:
        """Whether the client asks for CSV."""
        return getattr(self.request, "accepted_media_type", "").startswith(MEDIA_TYPE)

    def handle_exception(self, exc: Exception) -> Response:
        """The refusal."""
        response = super().handle_exception(exc)
        if self.is_csv_wanted:
            request: Any = self.request
            request.accepted_renderer, request.accepted_media_type = JsonRenderer(), JsonRenderer.media_type
        return response


def csv_file(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> FileResponse:
    """A table as a file of this name, `.csv` included. Raises what reading `rows` raises."""

    def write(out: TextIO) -> None:
        writer = csv.writer(out)
        writer.writerow(header)
        writer.writerows([_not_a_formula(value) for value in row] for row in rows)

    return written_file(name, write)


def written_file(name: str, write: Callable[[TextIO], object]) -> FileResponse:
    """The CSV that `write` writes, as a file of this name. A large one is on disk meanwhile, not in memory.

    All is written before the answer begins: it is whole, or an error. Raises what `write` raises.
    """
    with ExitStack() as opened:
        file = opened.enter_context(SpooledTemporaryFile(IN_MEMORY_BYTES))
        text = TextIOWrapper(cast("BinaryIO", file), encoding="utf-8", newline="", errors="replace")
        write(cast("TextIO", text))
        text.detach().seek(0)
        opened.pop_all()  # The response closes it.
    return FileResponse(file, as_attachment=True, filename=name, content_type=f"{MEDIA_TYPE}; charset=utf-8")


def _not_a_formula(value: object) -> object:
    """The value; text that a spreadsheet would execute gets a `'` before it, which makes it plain text."""
    is_formula = isinstance(value, str) and value.startswith(FORMULA_BEGINNINGS)
    return f"'{value}" if is_formula else value
