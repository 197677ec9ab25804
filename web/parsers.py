"""The parsers of the API's views: JSON alone, within bounds.

Bodies of orders and stock are structs: their views take the bytes, and `web/bodies.py` decodes them. Accounts
and the catalogue have DRF serializers, which name every wrong field of a form: their views take values.
"""

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any, cast

import msgspec
from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from web.bodies import EMPTY, JSON_ERRORS, malformed_json, without_byte_order_mark

MAX_DEPTH = 16


class JsonBytesParser(BaseParser):
    """Leaves a JSON body as it came; `read_body` decodes it. Keeps to DATA_UPLOAD_MAX_MEMORY_SIZE."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The bytes of the body. Raises RequestDataTooBig."""
        # A body that was looked at before, within its bounds, comes as a stream of its own.
        return stream.read() if isinstance(stream, BytesIO) else cast("HttpRequest", stream).body


class BoundedJsonParser(JsonBytesParser):
    """Strict JSON (no NaN, no Infinity) of at most MAX_DEPTH levels and DATA_UPLOAD_MAX_MEMORY_SIZE bytes."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The value. Raises ParseError and RequestDataTooBig."""
        body = without_byte_order_mark(super().parse(stream, media_type, parser_context))
        try:
            value = msgspec.json.decode(body)
        except JSON_ERRORS as error:
            raise malformed_json(body, error) from error
        require_shallow(value)
        return value


def require_body(request: Request) -> None:
    """Raise ParseError where a request has no body; DRF reads that as an empty object."""
    if request.META.get("CONTENT_LENGTH") in {None, "", "0"}:
        raise ParseError(EMPTY)


def require_shallow(value: object) -> None:
    """Raise ParseError where lists and objects lie more than MAX_DEPTH deep in one another."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, list | dict)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise ParseError(f"JSON parse error: nested more than {MAX_DEPTH} deep.")
