"""The header Idempotency-Key."""

import re

from django.http import HttpRequest
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from web.bodies import field_error

_VALID = re.compile(r"[\x20-\x7e]{1,255}")
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description="1 to 255 printable ASCII characters. The same request with the same key is done once.",
)


def idempotency_key(request: Request | HttpRequest) -> str:
    """The key; empty where there is none. Raises ValidationError on one that is not valid."""
    key: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not _VALID.fullmatch(key):
        raise field_error("Idempotency-Key", "Must be 1 to 255 printable ASCII characters.", "invalid")
    return key or ""
