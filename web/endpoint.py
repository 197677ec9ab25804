"""The declaration of a hot endpoint: all that its view, its fast path and its documentation need to know."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from msgspec import Struct
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission

from web.struct_schema import StructSerializer
from web.throttles import ServiceThrottle, Throttle, UserThrottle


class Answer(Struct, frozen=True):
    """What an endpoint answers where it refuses nothing, with the headers that are its own."""

    content: Struct
    headers: Mapping[str, str] = {}


class Endpoint(Struct, frozen=True, kw_only=True):
    """A hot endpoint, declared once; `endpoint_view.py` and `fast_path.py` serve it.

    `call` takes the request, the body and the path's arguments by name, and raises refusals and outages. The
    request is Django's or DRF's, with the `user` and `auth` that authentication has found.
    """

    # Where it is, and what the documentation calls it.
    route: str
    operation: str
    summary: str
    tag: str
    parameters: tuple[OpenApiParameter, ...] = ()
    # All methods of the path; the endpoint itself is its POST.
    allow: str

    # Who may call it. The fast path takes requests whose Authorization header has this scheme, and reads it
    # with the first of the classes; the view tries each.
    scheme: str
    authentication: tuple[type[BaseAuthentication], ...]
    permission: BasePermission
    # Besides the throttle of addresses, which counts before it is known who asks.
    throttles: tuple[type[Throttle], ...] = (UserThrottle, ServiceThrottle)

    # What it takes, does and answers; `body` and `content` name a struct each.
    body: type[StructSerializer]
    call: Callable[..., Answer]
    status: HTTPStatus
    content: type[StructSerializer]
    # The refusals that are its own, by status, besides those that any endpoint can give.
    refusals: Mapping[int, OpenApiResponse] = {}
