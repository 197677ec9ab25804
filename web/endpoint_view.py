"""The view of a declared endpoint: browsable page, documentation, OPTIONS, sessions, other media types.

A view that has other methods too takes the parts it needs: `answer_in_view` and `documented`.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from msgspec import to_builtins
from rest_framework.authentication import BaseAuthentication
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from web.bodies import read_body
from web.endpoint import Endpoint
from web.log_fields import with_log_fields
from web.no_store import NoStore
from web.parsers import JsonBytesParser
from web.struct_schema import StructSerializer


class EndpointView(NoStore, GenericAPIView[Any]):
    """A path on which the endpoint is alone."""

    endpoint: ClassVar[Endpoint]
    parser_classes = (JsonBytesParser,)

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Those of the declaration."""
        return [authentication() for authentication in self.endpoint.authentication]

    def get_permissions(self) -> Sequence[BasePermission]:
        """That of the declaration."""
        return [self.endpoint.permission]

    def get_throttles(self) -> list[BaseThrottle]:
        """Those of the declaration."""
        return [throttle() for throttle in self.endpoint.throttles]

    def get_serializer_class(self) -> type[StructSerializer]:
        """What the browsable page's form starts with."""
        return self.endpoint.body

    def post(self, request: Request, **path_arguments: Any) -> Response:
        """Answer the request."""
        return answer_in_view(self.endpoint, request, path_arguments)


def answer_in_view(endpoint: Endpoint, request: Request, path_arguments: dict[str, Any]) -> Response:
    """The answer to a request that the view has let in.

    Raises ParseError and ValidationError about the body, and what the endpoint's `call` raises.
    """
    answer = endpoint.call(request, read_body(request.data, endpoint.body.struct), **path_arguments)
    response = Response(to_builtins(answer.content), endpoint.status, headers=dict(answer.headers))
    return with_log_fields(response, answer.log_fields)


def documented(endpoint: Endpoint, description: str) -> Any:
    """Decorator of the view's method: the endpoint in the OpenAPI schema."""
    example = endpoint.body.example
    examples = [OpenApiExample(endpoint.summary, example, request_only=True)] if example else None
    return extend_schema(
        operation_id=endpoint.operation,
        summary=endpoint.summary,
        description=description,
        tags=[endpoint.tag],
        parameters=list(endpoint.parameters),
        request=endpoint.body,
        responses={int(endpoint.status): endpoint.content, **endpoint.refusals},
        examples=examples,
    )
