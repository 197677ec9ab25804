"""The forms about accounts. The serializers of the API check them: pages and API have one set of rules."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from foundation.mail_addresses import MAX_MAIL_ADDRESS
from foundation.user_names import MAX_NAME, UnsoundName, require_sound
from orders_app.accounts.account_serializers import MAX_PERSON_NAME, OwnAccountSerializer
from orders_app.accounts.serializers import MAX_PASSWORD, ChangePasswordSerializer, RegistrationSerializer
from web.viewer_zone import zone_names


class SignInForm(AuthenticationForm):
    """A user name and a password."""

    username = UsernameField(
        label=gettext_lazy("User name"), widget=forms.TextInput({"autofocus": True, "spellcheck": "false"})
    )

    error_messages = {  # noqa: RUF012 - as Django declares it
        "invalid_login": gettext_lazy("No account has this user name and password."),
        "inactive": gettext_lazy("This account is not active."),
        "locked_out": gettext_lazy(
            "Too many failed attempts to sign in. Wait %(minutes)s minutes, then try again."
        ),
    }

    def clean_username(self) -> str:
        """The name. Raises ValidationError where it can be nobody's."""
        name = str(self.cleaned_data["username"])
        try:
            require_sound(name)
        except UnsoundName as problem:
            raise ValidationError(str(problem), problem.code) from problem
        return name

    def get_invalid_login_error(self) -> ValidationError:
        """Why nobody is signed in."""
        if not getattr(self.request, "axes_locked_out", False):
            return super().get_invalid_login_error()
        minutes = {"minutes": settings.LOGIN_LOCK_MINUTES}
        return ValidationError(self.error_messages["locked_out"], "locked_out", minutes)


class CheckedForm(forms.Form):
    """A form whose content a serializer of the API checks; `names` are its fields by those of the form."""

    names: ClassVar[Mapping[str, str]]

    def serializer(self, data: Mapping[str, Any]) -> serializers.Serializer[User]:
        """The serializer with this content, by its own names."""
        raise NotImplementedError

    def clean(self) -> None:
        """Check what the fields have let through."""
        if self.errors:
            return
        self.body = self.serializer({name: self.cleaned_data[field] for field, name in self.names.items()})
        if not self.body.is_valid():
            self.add_details(self.body.errors)

    def add_details(self, details: Any) -> None:
        """Show what the serializer says, beside the field that it is about."""
        fields = {name: field for field, name in self.names.items()}
        for name, sentences in details.items():
            for sentence in sentences if isinstance(sentences, list) else [sentences]:
                self.add_error(fields.get(name), str(sentence))

    def save(self) -> User | None:
        """What the serializer stores; None, with the error in the form, where it is not possible any more."""
        try:
            return self.body.save()
        except serializers.ValidationError as error:
            self.add_details(error.detail)
            return None


def _password(label: Any, autocomplete: str, **options: Any) -> forms.CharField:
    widget = forms.PasswordInput({"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=MAX_PASSWORD, strip=False, widget=widget, **options)


def _user_name() -> forms.CharField:
    attributes = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
    return forms.CharField(
        label=gettext_lazy("User name"), max_length=MAX_NAME, widget=forms.TextInput(attributes)
    )


def _mail_address() -> forms.EmailField:
    return forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=MAX_MAIL_ADDRESS,
        widget=forms.EmailInput({"autocomplete": "email"}),
    )


class RegistrationForm(CheckedForm):
    """A new customer."""

    names: ClassVar[Mapping[str, str]] = {name: name for name in ("username", "email", "password")}
    username = _user_name()
    email = _mail_address()
    password = _password(
        gettext_lazy("Password"),
        "new-password",
        help_text=gettext_lazy("At least 8 characters, and not one that many people use."),
    )

    def serializer(self, data: Mapping[str, Any]) -> serializers.Serializer[User]:
        """The one of the registration."""
        return RegistrationSerializer(data=data)


class AccountForm(CheckedForm):
    """A part of a user's own account."""

    def __init__(self, user: User, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.user = user

    def serializer(self, data: Mapping[str, Any]) -> serializers.Serializer[User]:
        """The one of the account."""
        return OwnAccountSerializer(self.user, data=data, partial=True)


class NamesForm(AccountForm):
    """User name and personal names."""

    names: ClassVar[Mapping[str, str]] = {
        "username": "username",
        "first_name": "firstName",
        "last_name": "lastName",
    }
    first_name = forms.CharField(
        label=gettext_lazy("First name"),
        max_length=MAX_PERSON_NAME,
        required=False,
        widget=forms.TextInput({"autocomplete": "given-name"}),
    )
    last_name = forms.CharField(
        label=gettext_lazy("Last name"),
        max_length=MAX_PERSON_NAME,
        required=False,
        widget=forms.TextInput({"autocomplete": "family-name"}),
    )
    username = _user_name()


class MailAddressForm(AccountForm):
    """A mail address, which a mail to it confirms."""

    names: ClassVar[Mapping[str, str]] = {"email": "email"}
    email = _mail_address()


class MailForm(forms.Form):
    """Which mail is wanted, and how it is written."""

    notifications = forms.BooleanField(
        label=gettext_lazy("Send me mails about how my orders go on"),
        help_text=gettext_lazy("Mails about failed payments and refunds come in any case."),
        required=False,
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language of mails"),
        choices=[("", gettext_lazy("Language of the shop")), *settings.LANGUAGES],
        required=False,
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone of mails"),
        help_text=gettext_lazy("Such as Europe/Berlin; empty: the one of the shop."),
        max_length=64,
        required=False,
    )

    def clean_time_zone(self) -> str:
        """The name of a zone. Raises ValidationError for another text."""
        zone = str(self.cleaned_data["time_zone"])
        if zone and zone not in zone_names():
            raise ValidationError(gettext_lazy("There is no time zone of this name."))
        return zone


class NewPasswordForm(AccountForm):
    """The password until now, and the one from now on."""

    names: ClassVar[Mapping[str, str]] = {"old_password": "oldPassword", "new_password": "newPassword"}
    old_password = _password(gettext_lazy("Current password"), "current-password")
    new_password = _password(gettext_lazy("New password"), "new-password")

    def __init__(self, user: User, *arguments: Any, request: Any = None, **options: Any) -> None:
        super().__init__(user, *arguments, **options)
        self.request = request

    def serializer(self, data: Mapping[str, Any]) -> serializers.Serializer[User]:
        """The one that checks both passwords."""
        return ChangePasswordSerializer(self.user, data=data, context={"request": self.request})


class ForgottenPasswordForm(forms.Form):
    """The address of an account whose password is forgotten."""

    email = _mail_address()
