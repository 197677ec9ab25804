"""Fields of the access line of a request that only its answer knows."""

from collections.abc import Mapping
from typing import TypeVar

from django.http import HttpResponse

ResponseT = TypeVar("ResponseT", bound=HttpResponse)
LogFields = Mapping[str, str]
"""What the access line of a request says besides the usual, such as the order that it has placed."""


def with_log_fields(response: ResponseT, fields: LogFields) -> ResponseT:
    """The response, whose request has these fields in its access line."""
    response.log_fields = fields  # type: ignore[attr-defined]
    return response


def log_fields_of(response: HttpResponse) -> LogFields:
    """The fields that the response was given; none where it was given none."""
    fields: LogFields = getattr(response, "log_fields", {})
    return fields
