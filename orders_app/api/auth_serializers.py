"""Shapes of the authentication routes, and the claims that our tokens carry."""

from typing import Any, ClassVar, cast

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as InvalidPassword
from django.db import IntegrityError, transaction
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.fields import get_error_detail
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer, TokenRefreshSerializer
from rest_framework_simplejwt.tokens import RefreshToken

USERNAME_TAKEN = "A user with that username already exists."


def issue_refresh_token(user: User) -> RefreshToken:
    """A refresh token whose access tokens say who the user is, so that no request looks the user up."""
    token = RefreshToken.for_user(user)
    token["username"] = user.get_username()
    token["is_staff"] = user.is_staff
    return token


def token_pair(user: User) -> dict[str, str]:
    """Both tokens of a user, as every route of ours answers them."""
    refresh = issue_refresh_token(user)
    return {"refresh": str(refresh), "access": str(refresh.access_token)}


class ObtainTokensSerializer(TokenObtainPairSerializer):
    """User name and password for a token pair."""

    @classmethod
    def get_token(cls, user: User) -> RefreshToken:  # type: ignore[override]  # the library is untyped for its user
        """The refresh token that the library answers and takes the access token from."""
        return issue_refresh_token(user)


class RefreshTokensSerializer(TokenRefreshSerializer):
    """A refresh token for a new pair with the claims of today; the old one is spent."""

    refresh = serializers.CharField()
    access = serializers.CharField(read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        """Spend the token, once. Raises TokenError, InvalidToken or AuthenticationFailed."""
        spent = RefreshToken(attrs["refresh"])
        user = User.objects.filter(pk=spent.get("user_id"), is_active=True).first()
        if user is None:
            raise AuthenticationFailed(self.error_messages["no_active_account"], "no_active_account")
        _, first_use = cast("tuple[Any, bool]", spent.blacklist())  # the library annotates it wrongly
        if not first_use:
            raise InvalidToken("Token is blacklisted")
        return token_pair(user)


class UserSerializer(serializers.ModelSerializer[User]):
    """A user as they see themselves."""

    id = serializers.CharField(source="pk", read_only=True)

    class Meta:
        model = User
        fields: ClassVar = ["id", "username", "email"]


class RegistrationSerializer(serializers.ModelSerializer[User]):
    """A new customer; the password must please the validators of the settings."""

    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(
        write_only=True, max_length=128, trim_whitespace=False, style={"input_type": "password"}
    )

    class Meta:
        model = User
        fields: ClassVar = ["username", "email", "password"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Judge the password beside the name and address, which it must not resemble."""
        try:
            validate_password(attrs["password"], User(username=attrs["username"], email=attrs["email"]))
        except InvalidPassword as error:
            raise serializers.ValidationError({"password": get_error_detail(error)}) from error
        return attrs

    def create(self, validated_data: dict[str, Any]) -> User:
        """Store the user. Raises ValidationError when the name was taken a moment ago."""
        try:
            with transaction.atomic():
                return User.objects.create_user(**validated_data)
        except IntegrityError as error:
            raise serializers.ValidationError({"username": USERNAME_TAKEN}, code="unique") from error


class TokenPairSerializer(serializers.Serializer[dict[str, str]]):
    """What signing in answers."""

    refresh = serializers.CharField()
    access = serializers.CharField()


class RegisteredSerializer(TokenPairSerializer):
    """The tokens of the new customer, and who they are."""

    user = UserSerializer()
