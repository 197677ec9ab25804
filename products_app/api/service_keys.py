"""Services prove themselves with `Authorization: Api-Key …`; keys are made in the admin, or registered."""

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework_api_key.models import APIKey
from rest_framework_api_key.permissions import KeyParser


class ServiceKeyAuthentication(BaseAuthentication):
    """Reads the key. The caller is a service, so there is no user."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, str] | None:
        """The key, where there is one. Raises AuthenticationFailed on an unknown, revoked or expired one."""
        key: str | None = KeyParser().get(request)
        if key is None:
            return None
        if not APIKey.objects.is_valid(key):
            raise AuthenticationFailed("This API key is not valid.")
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return KeyParser.keyword


class IsService(BasePermission):
    """Callers with a valid key."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether a key was read."""
        return request.auth is not None


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
