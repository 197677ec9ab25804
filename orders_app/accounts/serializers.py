"""Request and response bodies of the authentication endpoints, and the creation of tokens."""

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
MAX_USERNAME, MAX_PASSWORD, MAX_TOKEN = 150, 128, 4_096  # characters


class FamilyRefreshToken(RefreshToken):
    """A refresh token of a token family: all refresh tokens that descend from one sign-in (RFC 9700)."""

    no_copy_claims = (*RefreshToken.no_copy_claims, "family")  # type: ignore[assignment]  # its type counts them

    @property
    def family(self) -> str:
        """The id of the family: the id of its first token."""
        return str(self.get("family", self["jti"]))


class UncheckedRefreshToken(FamilyRefreshToken):
    """A refresh token whose signature and expiry are verified, and that may have been used before."""

    def check_blacklist(self) -> None:
        """Do nothing: `rotate_refresh_token` has to detect the reuse of a token."""


def create_refresh_token(user: User, family: str = "") -> FamilyRefreshToken:
    """Create a refresh token and store its id and family; a new family unless `family` is given.

    Its claims name the user and are copied to its access tokens, so that no request reads the user from the
    database. The library's column for the token itself stores the family instead.
    """
    token = FamilyRefreshToken()
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


def create_token_pair(user: User, family: str = "") -> dict[str, str]:
    """Create a refresh token and an access token for the user; returns both as the endpoints answer them."""
    refresh = create_refresh_token(user, family)
    return {"refresh": str(refresh), "access": str(refresh.access_token)}


def rotate_refresh_token(used_token: UncheckedRefreshToken, user: User) -> dict[str, str] | None:
    """Invalidate a refresh token and return its successors; None if the token had been used before.

    A reused token shows that it was stolen, either this copy or the one that was used first. Reuse detection
    invalidates the whole token family (RFC 9700, 4.14.2).
    """
    _, is_first_use = cast("tuple[Any, bool]", used_token.blacklist())  # the library annotates it wrongly
    if is_first_use:
        return create_token_pair(user, used_token.family)
    valid_tokens = OutstandingToken.objects.filter(user=user, token=used_token.family, blacklistedtoken=None)
    BlacklistedToken.objects.bulk_create(BlacklistedToken(token=token) for token in valid_tokens)
    return None


class LockedOut(Throttled):
    """Too many failed sign-ins with this user name from this address."""

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
        """Sign the user in. Raises AuthenticationFailed, or LockedOut after too many failures."""
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
        """The refresh token, from which the library also derives the access token."""
        return create_refresh_token(user)


class RefreshTokensSerializer(TokenRefreshSerializer):
    """Refresh token rotation: a new token pair with the user's current claims for a refresh token."""

    refresh = serializers.CharField(max_length=MAX_TOKEN)
    access = serializers.CharField(read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        """Rotate the refresh token. Raises TokenError, InvalidToken or AuthenticationFailed."""
        used_token = UncheckedRefreshToken(attrs["refresh"])
        with transaction.atomic():
            # The lock serializes the rotations of a user: else a successor could be created while reuse
            # detection invalidates its family.
            users = User.objects.select_for_update(no_key=True)
            user = users.filter(pk=used_token.get("user_id"), is_active=True).first()
            if user is None:
                raise AuthenticationFailed(self.error_messages["no_active_account"], "no_active_account")
            pair = rotate_refresh_token(used_token, user)
        if pair is None:
            raise InvalidToken("Token is blacklisted")
        return pair


class UserSerializer(serializers.ModelSerializer[User]):
    """The user in the answer of the registration."""

    id = serializers.CharField(source="pk", read_only=True)

    class Meta:
        model = User
        fields: ClassVar = ["id", "username", "email"]


class RegistrationSerializer(serializers.ModelSerializer[User]):
    """The registration of a customer; AUTH_PASSWORD_VALIDATORS check the password."""

    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(
        write_only=True,
        max_length=MAX_PASSWORD,
        trim_whitespace=False,
        style={"input_type": "password"},
    )

    class Meta:
        model = User
        fields: ClassVar = ["username", "email", "password"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check the password, also for similarity with the user name and e-mail address."""
        try:
            validate_password(attrs["password"], User(username=attrs["username"], email=attrs["email"]))
        except InvalidPassword as error:
            raise serializers.ValidationError({"password": get_error_detail(error)}) from error
        return attrs

    def create(self, validated_data: dict[str, Any]) -> User:
        """Store the user. Raises ValidationError if a concurrent registration has taken the user name."""
        try:
            with transaction.atomic():
                return User.objects.create_user(**validated_data)
        except IntegrityError as error:
            raise serializers.ValidationError({"username": USERNAME_TAKEN}, code="unique") from error


class TokenPairSerializer(serializers.Serializer[dict[str, str]]):
    """The answer to a sign-in or a refresh."""

    refresh = serializers.CharField()
    access = serializers.CharField()


class RegisteredSerializer(TokenPairSerializer):
    """The answer to a registration: the token pair and the user."""

    user = UserSerializer()
