"""Services prove themselves with `Authorization: Api-Key …`; keys are made in the admin, or registered."""

from typing import cast

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework_api_key.permissions import KeyParser

from products_app.models import ServiceKey
from products_app.services.service_keys import find_key


class ServiceKeyAuthentication(BaseAuthentication):
    """Reads the key. The caller is a service, so there is no user."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ServiceKey] | None:
        """The key, where there is one. Raises AuthenticationFailed on an unknown, revoked or expired one."""
        text: str | None = KeyParser().get(request)
        if text is None:
            return None
        try:
            key = find_key(text.strip())
        except ServiceKey.DoesNotExist as error:
            raise AuthenticationFailed("This API key is not valid.") from error
        if key.has_expired:
            raise AuthenticationFailed("This API key has expired.")
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return KeyParser.keyword


class ServiceMay(BasePermission):
    """Callers with a valid key whose scope covers this: `reserve` or `release`."""

    message = "This API key is not for this route."

    def __init__(self, scope: str) -> None:
        self.scope = scope

    def has_permission(self, request: Request, view: APIView | None) -> bool:
        """Whether the key that was read may do this."""
        return request.auth is not None and cast("ServiceKey", request.auth).allows(self.scope)


class ServiceKeyScheme(OpenApiAuthenticationExtension):
    """The key in the OpenAPI schema."""

    target_class = ServiceKeyAuthentication
    name = "serviceKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """A header; OpenAPI has no form of its own for `Api-Key`."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Api-Key ` and the key of a service.",
        }
