"""The endpoints under `auth/`: registration, sign-in, refresh, log-out, change of the password."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from orders_app.accounts.authentication import AccessTokenAuthentication
from orders_app.accounts.passwords import change_password, check_password
from orders_app.accounts.serializers import (
    ChangePasswordSerializer,
    CredentialsSerializer,
    RefreshTokenSerializer,
    RegisteredSerializer,
    RegistrationSerializer,
    TokenPairSerializer,
    UserSerializer,
)
from orders_app.accounts.sign_ins import NO_ACCOUNT, end_sign_in, refresh_sign_in, start_sign_in
from orders_app.accounts.throttles import TokenNameThrottle
from web.no_store import NoStore
from web.throttles import LoginNameThrottle, LoginThrottle, OwnNameThrottle, RegistrationThrottle


def asking_user(request: Request, users: QuerySet[User]) -> User:
    """The one of these users who asks. Raises AuthenticationFailed where they are deleted or not active."""
    user = users.filter(pk=request.user.pk or 0, is_active=True).first()
    if user is None:
        raise AuthenticationFailed(NO_ACCOUNT, "no_active_account")
    return user


class AuthView(NoStore, GenericAPIView[Any]):
    """An endpoint with a body, for everybody: what is in the body says who asks."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    pagination_class = None

    def get_authenticate_header(self, request: Request) -> str:
        """What a 401 asks for: without it a view that authenticates nobody answers 403."""
        return AccessTokenAuthentication().authenticate_header(request)

    def valid_body(self, request: Request) -> Serializer[Any]:
        """The body. Raises ValidationError with each wrong field."""
        body = cast("Serializer[Any]", self.get_serializer(data=request.data))
        body.is_valid(raise_exception=True)
        return body


class ObtainTokensView(AuthView):
    """User name and password for a token pair."""

    serializer_class = CredentialsSerializer
    throttle_classes = (LoginThrottle, LoginNameThrottle)

    @extend_schema(
        operation_id="obtainTokens",
        summary="User name and password for a token pair",
        responses=TokenPairSerializer,
        tags=["auth"],
    )
    def post(self, request: Request) -> Response:
        """Start a sign-in. The access token goes into `Authorization: Bearer …`."""
        credentials = self.valid_body(request).validated_data
        user = check_password(request, credentials["username"], credentials["password"])
        tokens = start_sign_in(user=user)
        user_logged_in.send(User, request=request, user=user)
        return Response(tokens)


class RefreshTokensView(AuthView):
    """A refresh token for a new pair."""

    serializer_class = RefreshTokenSerializer
    throttle_classes = (LoginThrottle, TokenNameThrottle)

    @extend_schema(
        operation_id="refreshTokens",
        summary="A refresh token for a new pair",
        responses=TokenPairSerializer,
        tags=["auth"],
    )
    def post(self, request: Request) -> Response:
        """Replace the token pair. Each refresh token can be used once; the answer has its successor."""
        return Response(refresh_sign_in(refresh_token=self.valid_body(request).validated_data["refresh"]))


class LogOutView(AuthView):
    """Ends the sign-in of a refresh token."""

    serializer_class = RefreshTokenSerializer
    throttle_classes = (LoginThrottle, TokenNameThrottle)

    @extend_schema(operation_id="logOut", summary="End a sign-in", responses={204: None}, tags=["auth"])
    def post(self, request: Request) -> Response:
        """End the sign-in: its tokens are refused and its sockets closed. Once more is no error."""
        end_sign_in(refresh_token=self.valid_body(request).validated_data["refresh"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class ChangePasswordView(NoStore, GenericAPIView[User]):
    """Replaces a user's own password."""

    serializer_class = ChangePasswordSerializer
    pagination_class = None
    throttle_classes = (LoginThrottle, OwnNameThrottle)

    @extend_schema(
        operation_id="changePassword", summary="Change your password", responses={204: None}, tags=["auth"]
    )
    def post(self, request: Request) -> Response:
        """Check the old password and store the new one. All sign-ins and sessions end: sign in again."""
        user = asking_user(request, User.objects.all())
        body = self.get_serializer(user, data=request.data)
        body.is_valid(raise_exception=True)
        change_password(user=user, password=body.validated_data["newPassword"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class RegisterView(AuthView):
    """Registers a customer and signs them in: the answer has a token pair."""

    serializer_class = RegistrationSerializer
    throttle_classes = (RegistrationThrottle, LoginThrottle, LoginNameThrottle)

    @extend_schema(
        operation_id="register",
        summary="Become a customer",
        responses={201: RegisteredSerializer},
        tags=["auth"],
    )
    def post(self, request: Request) -> Response:
        """Store the user and answer a token pair."""
        user = self.valid_body(request).save()
        answer = start_sign_in(user=user) | {"user": UserSerializer(user).data}
        return Response(answer, status.HTTP_201_CREATED)
