"""JSON bodies of the API within bounds: no serializer sees what is no JSON, too deep or too large."""

from collections.abc import Mapping
from typing import IO, Any

import msgspec
from rest_framework.exceptions import ParseError

from web.bodies import JsonBytesParser

MAX_DEPTH = 16
TOO_DEEP = f"JSON parse error - nested more than {MAX_DEPTH} deep."


class BoundedJsonParser(JsonBytesParser):
    """Strict JSON (no NaN, no Infinity) of at most MAX_DEPTH levels and DATA_UPLOAD_MAX_MEMORY_SIZE bytes."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The value. Raises ParseError and RequestDataTooBig."""
        try:
            value = msgspec.json.decode(super().parse(stream, media_type, parser_context))
        except RecursionError as error:
            raise ParseError(TOO_DEEP) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ParseError(f"JSON parse error - {error}") from error
        require_shallow(value)
        return value


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
    raise ParseError(TOO_DEEP)
