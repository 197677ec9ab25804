"""Request and response bodies of the authentication endpoints."""

from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError as RuleBroken
from django.db import IntegrityError
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.fields import get_error_detail

from foundation.mail_addresses import MAX_MAIL_ADDRESS
from foundation.user_names import MAX_NAME, UnsoundName, require_sound, shown_form
from orders_app.accounts.mail_addresses import sound_address
from orders_app.accounts.names import USERNAME_TAKEN, checked_name
from orders_app.accounts.own_account import register_customer
from orders_app.accounts.passwords import check_password

MAX_PASSWORD, MAX_TOKEN = 128, 4_096  # characters


class SignInNameField(serializers.CharField):
    """The name of somebody who signs in, in any form of it."""

    def to_internal_value(self, data: Any) -> str:
        """The name as it was sent. Raises ValidationError where it can be nobody's."""
        name = str(super().to_internal_value(data))
        try:
            require_sound(name)
        except UnsoundName as problem:
            raise serializers.ValidationError(str(problem), problem.code) from problem
        return name


class NewNameField(SignInNameField):
    """A name to be stored; its validators see it as it will be stored."""

    def to_internal_value(self, data: Any) -> str:
        """The name as it will be stored. Raises ValidationError where it can be nobody's."""
        return shown_form(super().to_internal_value(data))


class PasswordField(serializers.CharField):
    """A password, as it is; it is in no answer."""

    def __init__(self, **options: Any) -> None:
        style = {"input_type": "password"}
        super().__init__(
            write_only=True, max_length=MAX_PASSWORD, trim_whitespace=False, style=style, **options
        )


class MailAddressField(serializers.EmailField):
    """A new mail address."""

    def to_internal_value(self, data: Any) -> str:
        """The address as it is stored. Raises ValidationError where no new account may have it."""
        try:
            return sound_address(str(super().to_internal_value(data)))
        except RuleBroken as error:
            raise serializers.ValidationError(get_error_detail(error)) from error


class CredentialsSerializer(serializers.Serializer[User]):
    """A user name and a password."""

    username = SignInNameField(max_length=MAX_NAME, trim_whitespace=False)
    password = PasswordField()


class RefreshTokenSerializer(serializers.Serializer[Any]):
    """A refresh token."""

    refresh = serializers.CharField(max_length=MAX_TOKEN)


class ChangePasswordSerializer(serializers.Serializer[User]):
    """A user's password and the one that is to replace it."""

    instance: User

    oldPassword = PasswordField(help_text="The password until now.")  # noqa: N815 - its name in JSON
    newPassword = PasswordField(help_text="The password from now on.")  # noqa: N815

    def validate_oldPassword(self, password: str) -> str:  # noqa: N802 - DRF calls it by the field's name
        """Raise ValidationError where it is wrong, and LockedOut after too many failures."""
        try:
            check_password(self.context["request"], self.instance.username, password)
        except AuthenticationFailed as error:
            sentence = "This is not your password."
            raise serializers.ValidationError(sentence, "password_incorrect") from error
        return password

    def validate_newPassword(self, password: str) -> str:  # noqa: N802 - DRF calls it by the field's name
        """Raise ValidationError unless the password rules allow it."""
        validate_password(password, self.instance)
        return password


class UserSerializer(serializers.ModelSerializer[User]):
    """The user in the answer of the registration."""

    id = serializers.CharField(source="pk", read_only=True)

    class Meta:
        model = User
        fields: ClassVar = ["id", "username", "email"]


class RegistrationSerializer(serializers.Serializer[User]):
    """The registration of a customer; AUTH_PASSWORD_VALIDATORS check the password."""

    username = NewNameField(max_length=MAX_NAME, validators=[UnicodeUsernameValidator()])
    email = MailAddressField(
        max_length=MAX_MAIL_ADDRESS,
        help_text="Where another account holds this address, its user is told by mail.",
    )
    password = PasswordField()

    def validate_username(self, name: str) -> str:
        """Raise ValidationError where it is another user's."""
        return checked_name(name)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check the password, also for similarity with the user name and e-mail address."""
        try:
            validate_password(attrs["password"], User(username=attrs["username"], email=attrs["email"]))
        except RuleBroken as error:
            raise serializers.ValidationError({"password": get_error_detail(error)}) from error
        return attrs

    def create(self, validated_data: dict[str, Any]) -> User:
        """Store the user. Raises ValidationError if a concurrent registration has taken the user name."""
        try:
            return register_customer(**validated_data)
        except (IntegrityError, RuleBroken) as error:
            raise serializers.ValidationError({"username": USERNAME_TAKEN}, code="unique") from error


class TokenPairSerializer(serializers.Serializer[dict[str, str]]):
    """The answer to a sign-in or a refresh."""

    refresh = serializers.CharField()
    access = serializers.CharField()


class RegisteredSerializer(TokenPairSerializer):
    """The answer to a registration: the token pair and the user."""

    user = UserSerializer()
