"""Request and response bodies about one's own account, a forgotten password and a new mail address."""

import unicodedata
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError as RuleBroken
from django.db import IntegrityError
from rest_framework import serializers

from foundation.mail_addresses import MAX_MAIL_ADDRESS
from foundation.user_names import MAX_NAME
from orders_app.accounts.links import MAX_LINK_TOKEN, MAX_UID
from orders_app.accounts.names import USERNAME_TAKEN, checked_name
from orders_app.accounts.own_account import change_account
from orders_app.accounts.serializers import MailAddressField, NewNameField, PasswordField

MAX_PERSON_NAME = 150  # characters
_UNFIT = frozenset({"Cc", "Cs", "Zl", "Zp"})


class PersonNameField(serializers.CharField):
    """A first or last name: on one line, since mails begin with it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_PERSON_NAME, allow_blank=True, required=False, **options)

    def to_internal_value(self, data: Any) -> str:
        """The name. Raises ValidationError where it has control characters or several lines."""
        name = str(super().to_internal_value(data))
        if any(unicodedata.category(character) in _UNFIT for character in name):
            raise serializers.ValidationError("A name has no control characters.", "invalid")
        return name


class OwnAccountSerializer(serializers.Serializer[User]):
    """A user's own account. All fields may be left out of a change."""

    instance: User

    username = NewNameField(max_length=MAX_NAME, validators=[UnicodeUsernameValidator()], required=False)
    email = MailAddressField(
        max_length=MAX_MAIL_ADDRESS,
        required=False,
        help_text="A new address counts once the link in a mail to it has been opened.",
    )
    pendingEmail = serializers.CharField(  # noqa: N815 - its name in JSON
        source="mail_address_change.address",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="The new address that has not been confirmed yet.",
    )
    firstName = PersonNameField(source="first_name")  # noqa: N815
    lastName = PersonNameField(source="last_name")  # noqa: N815
    mailNotifications = serializers.BooleanField(  # noqa: N815
        source="mail_preference.notifications",
        default=True,
        help_text="Mails about orders. Failed payments and refunds are told in any case.",
    )

    def to_representation(self, instance: User) -> dict[str, Any]:
        """The account as it is shown: a user who has said nothing of mail gets it."""
        shown = super().to_representation(instance)
        return shown | {"mailNotifications": shown["mailNotifications"] is not False}

    def validate_username(self, name: str) -> str:
        """Raise ValidationError where it is another user's. A name that stays may be one of before."""
        return name if name == self.instance.username else checked_name(name, self.instance.pk)

    def update(self, instance: User, validated_data: dict[str, Any]) -> User:
        """Change the account. Raises ValidationError if the user name has been taken meanwhile."""
        address = validated_data.pop("email", None)
        mail = validated_data.pop("mail_preference", {})
        try:
            change_account(user=instance, names=validated_data, mail=mail, address=address)
        except (IntegrityError, RuleBroken) as error:
            raise serializers.ValidationError({"username": USERNAME_TAKEN}, code="unique") from error
        return instance


class ResetRequestSerializer(serializers.Serializer[Any]):
    """The mail address of an account."""

    email = serializers.EmailField(max_length=MAX_MAIL_ADDRESS)


class LinkSerializer(serializers.Serializer[Any]):
    """What is in the link of a mail."""

    uid = serializers.CharField(max_length=MAX_UID)
    token = serializers.CharField(max_length=MAX_LINK_TOKEN)


class ResetSerializer(LinkSerializer):
    """What is in the link of a mail, and the password that is to be set."""

    newPassword = PasswordField(help_text="The password from now on.")  # noqa: N815
