"""Shapes of the authentication routes, and the claims that our tokens carry."""

from typing import Any, ClassVar, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.signals import user_logged_in
from django.core.exceptions import ValidationError as InvalidPassword
from django.db import IntegrityError, transaction
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.fields import get_error_detail
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer, TokenRefreshSerializer
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.utils import datetime_from_epoch

USERNAME_TAKEN = "A user with that username already exists."
MAX_USERNAME, MAX_PASSWORD, MAX_TOKEN = 150, 128, 4_096


class FamilyToken(RefreshToken):
    """A refresh token that knows which sign-in it goes back to: all its successors have the same `family`."""

    no_copy_claims = (*RefreshToken.no_copy_claims, "family")  # type: ignore[assignment]  # its type counts them

    @property
    def family(self) -> str:
        """The id of the first token of the sign-in."""
        return str(self.get("family", self["jti"]))


class PresentedToken(FamilyToken):
    """A refresh token of ours that has not expired, spent or not."""

    def check_blacklist(self) -> None:
        """Left to `spend`, for which a spent token means something."""


def issue_refresh_token(user: User, family: str = "") -> FamilyToken:
    """A refresh token whose access tokens say who the user is, so that no request looks the user up.

    What is stored of it is its id and, where the library would keep the token itself, its family.
    """
    token = FamilyToken()
    token["user_id"] = str(user.pk)
    token["username"] = user.get_username()
    token["is_staff"] = user.is_staff
    token["family"] = family or token["jti"]
    OutstandingToken.objects.create(
        user=user,
        jti=token["jti"],
        token=token.family,
        created_at=token.current_time,
        expires_at=datetime_from_epoch(token["exp"]),
    )
    return token


def token_pair(user: User, family: str = "") -> dict[str, str]:
    """Both tokens of a user, as every route of ours answers them."""
    refresh = issue_refresh_token(user, family)
    return {"refresh": str(refresh), "access": str(refresh.access_token)}


def spend(presented: PresentedToken, user: User) -> dict[str, str] | None:
    """The pair that follows a refresh token, or None where it was spent before.

    Then either its user or whoever has the successor has stolen it: its whole family is spent too
    (RFC 9700, 4.14.2).
    """
    _, first_use = cast("tuple[Any, bool]", presented.blacklist())  # the library annotates it wrongly
    if first_use:
        return token_pair(user, presented.family)
    living = OutstandingToken.objects.filter(user=user, token=presented.family, blacklistedtoken=None)
    BlacklistedToken.objects.bulk_create(BlacklistedToken(token=token) for token in living)
    return None


class LockedOut(Throttled):
    """Too many wrong passwords for this name from this address."""

    default_detail = "Too many failed attempts to sign in. Try again later."
    default_code = "locked_out"
    extra_detail_singular = extra_detail_plural = ""


class ObtainTokensSerializer(TokenObtainPairSerializer):
    """User name and password for a token pair."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"] = serializers.CharField(write_only=True, max_length=MAX_USERNAME)
        self.fields["password"] = serializers.CharField(
            write_only=True,
            max_length=MAX_PASSWORD,
            trim_whitespace=False,
            style={"input_type": "password"},
        )

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        """Sign in. Raises AuthenticationFailed, and LockedOut after too many of those."""
        request = self.context["request"]
        try:
            tokens = super().validate(attrs)
        except AuthenticationFailed as failure:
            if getattr(request, "axes_locked_out", False):
                raise LockedOut(settings.LOGIN_LOCK_MINUTES * 60) from failure
            raise
        user_logged_in.send(User, request=request, user=self.user)
        return tokens

    @classmethod
    def get_token(cls, user: User) -> RefreshToken:  # type: ignore[override]  # the library is untyped for its user
        """The refresh token that the library answers and takes the access token from."""
        return issue_refresh_token(user)


class RefreshTokensSerializer(TokenRefreshSerializer):
    """A refresh token for a new pair with the claims of today; the old one is spent."""

    refresh = serializers.CharField(max_length=MAX_TOKEN)
    access = serializers.CharField(read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        """Spend the token, once. Raises TokenError, InvalidToken or AuthenticationFailed."""
        presented = PresentedToken(attrs["refresh"])
        with transaction.atomic():
            # One at a time for each user: a successor must not slip in beside the end of its family.
            users = User.objects.select_for_update(no_key=True)
            user = users.filter(pk=presented.get("user_id"), is_active=True).first()
            if user is None:
                raise AuthenticationFailed(self.error_messages["no_active_account"], "no_active_account")
            pair = spend(presented, user)
        if pair is None:
            raise InvalidToken("Token is blacklisted")
        return pair


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
        write_only=True, max_length=MAX_PASSWORD, trim_whitespace=False, style={"input_type": "password"}
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
