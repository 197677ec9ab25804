"""Which version of an order a request asks for: `?version=3` or `?at=<time>`; the latest without either."""

import re
from datetime import datetime

from django.core.exceptions import ValidationError as InvalidField
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from orders_app.api.filters import InstantField
from web.bodies import field_error

VERSION = re.compile(r"[0-9]{1,100}", re.ASCII)
PARAMETERS = [
    OpenApiParameter("version", OpenApiTypes.INT, description="The order at this version, from 1 on."),
    OpenApiParameter(
        "at", OpenApiTypes.DATETIME, description="The order as it was at this time; without an offset in UTC."
    ),
]


def asked_version(request: Request) -> int | datetime | None:
    """The version or the moment that is asked for, if any. Raises ValidationError."""
    version, moment = request.query_params.get("version"), request.query_params.get("at")
    if version is not None and moment is not None:
        raise field_error("at", "Ask for a version or for a time, not for both.", "invalid")
    if version is not None:
        return _read_version(version)
    return None if moment is None else _read_moment(moment)


def _read_version(text: str) -> int:
    if not VERSION.fullmatch(text):
        raise field_error("version", "A version is a whole number.", "invalid")
    return int(text)


def _read_moment(text: str) -> datetime:
    try:
        moment: datetime = InstantField(required=True).clean(text)
    except InvalidField as error:
        raise field_error("at", " ".join(error.messages), "invalid") from error
    return moment
