"""The endpoints under `auth/`: registration, sign-in and refresh; they need no authentication."""

from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.views import TokenViewBase

from orders_app.accounts.serializers import (
    ObtainTokensSerializer,
    RefreshTokensSerializer,
    RegisteredSerializer,
    RegistrationSerializer,
    TokenPairSerializer,
    UserSerializer,
    create_token_pair,
)
from web.throttles import LoginNameThrottle, LoginThrottle, RegistrationThrottle


def answers_token_pair(operation_id: str, summary: str) -> Any:
    """The OpenAPI schema of an endpoint that answers a token pair."""
    return extend_schema(
        operation_id=operation_id, summary=summary, responses=TokenPairSerializer, tags=["auth"]
    )


@extend_schema_view(post=answers_token_pair("obtainTokens", "User name and password for a token pair"))
class ObtainTokensView(TokenViewBase):
    """User name and password for a token pair. The access token goes into `Authorization: Bearer …`."""

    serializer_class = ObtainTokensSerializer
    pagination_class = None
    throttle_classes = (LoginThrottle, LoginNameThrottle)


@extend_schema_view(post=answers_token_pair("refreshTokens", "A refresh token for a new pair"))
class RefreshTokensView(TokenViewBase):
    """A refresh token for a new pair. Each refresh token can be used once; the answer has its successor."""

    serializer_class = RefreshTokensSerializer
    pagination_class = None


class RegisterView(GenericAPIView[User]):
    """Registers a customer and signs them in: the answer has a token pair."""

    serializer_class = RegistrationSerializer
    authentication_classes = ()
    permission_classes = (AllowAny,)
    pagination_class = None
    throttle_classes = (RegistrationThrottle,)

    @extend_schema(
        operation_id="register",
        summary="Become a customer",
        responses={201: RegisteredSerializer},
        tags=["auth"],
    )
    def post(self, request: Request) -> Response:
        """Store the user and answer a token pair."""
        registration = self.get_serializer(data=request.data)
        registration.is_valid(raise_exception=True)
        user = registration.save()
        answer = create_token_pair(user) | {"user": UserSerializer(user).data}
        return Response(answer, status.HTTP_201_CREATED)
