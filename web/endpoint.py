"""The declaration of a hot endpoint: all that its view, its fast path and its documentation need to know."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from msgspec import Struct
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission

from foundation.group_commit import Call, GroupCommit
from web.log_fields import LogFields
from web.struct_schema import StructSerializer
from web.throttles import ServiceThrottle, Throttle, UserThrottle


class Answer(Struct, frozen=True):
    """What an endpoint answers where it refuses nothing, with the headers and log fields that are its own."""

    content: Struct
    headers: Mapping[str, str] = {}
    log_fields: LogFields = {}


class Endpoint(Struct, frozen=True, kw_only=True):
    """A hot endpoint, declared once; `endpoint_view.py` and `fast_path.py` serve it.

    The request is Django's or DRF's, with the `user` and `auth` that authentication has found.
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
    # Whether the first of them waits for nothing, no database and no other server.
    authenticates_at_once: bool = False
    permission: BasePermission
    # Besides the throttle of addresses, which counts before it is known who asks.
    throttles: tuple[type[Throttle], ...] = (UserThrottle, ServiceThrottle)

    # What it takes, does and answers; `body` and `content` name a struct each.
    body: type[StructSerializer]
    # Makes what the service is asked from the request, the body and, by name, the path's arguments; raises
    # refusals.
    ask: Callable[..., Any]
    service: GroupCommit[Any, Any]
    # Makes the answer from the body and the executed call of the service; raises refusals and outages.
    answer: Callable[[Any, Call[Any, Any]], Answer]
    status: HTTPStatus
    content: type[StructSerializer]
    # The refusals that are its own, by status, besides those that any endpoint can give.
    refusals: Mapping[int, OpenApiResponse] = {}

    def call(self, request: Any, body: Struct, **path_arguments: Any) -> Answer:
        """Ask the service and wait for the answer. Raises refusals and outages."""
        return self.answer(body, self.service.run(self.ask(request, body, **path_arguments)))
