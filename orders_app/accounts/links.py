"""Links in mails: a user's id and a token that Django signs, for one page of this installation.

A token is made when its mail is sent, and stored nowhere. It is valid for PASSWORD_RESET_TIMEOUT seconds and
for what the user is then: a changed password or mail address, a sign-in and its own use make it void.
"""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext_noop

from orders_app.models import MailAddressChange

MAX_UID, MAX_LINK_TOKEN = 64, 128  # characters


class InvalidLink(Exception):
    """The link is not one of ours, was used, has expired, or the account has changed since."""

    sentence = gettext_noop("This link was used, has expired or is not complete. Ask for another one.")


class _ResetTokens(PasswordResetTokenGenerator):
    """Tokens with which a user sets a new password."""

    key_salt = "orders_app.accounts.links.password_reset"


class _AddressTokens(PasswordResetTokenGenerator):
    """Tokens with which a user confirms the new address that they have asked for."""

    key_salt = "orders_app.accounts.links.confirm_address"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        change = MailAddressChange.objects.filter(user=user).first()
        # Not what Django adds, the last sign-in: the user may sign in before the link is opened.
        return f"{user.pk}{user.password}{user.email}{change.address if change else ''}{timestamp}"


_RESET, _ADDRESS = _ResetTokens(), _AddressTokens()


def reset_link(user: User) -> str:
    """The link with which this user sets a new password."""
    return _link("reset-password-page", user, _RESET)


def confirm_link(user: User) -> str:
    """The link with which this user confirms the address that they have asked for."""
    return _link("confirm-address-page", user, _ADDRESS)


def user_of_reset(uid: str, token: str) -> User:
    """The user whose reset link has these two. Raises InvalidLink."""
    return _user_of(uid, token, _RESET, User.objects.all())


def user_of_confirmation(uid: str, token: str) -> User:
    """The user whose confirmation link has these two. Raises InvalidLink."""
    return _user_of(uid, token, _ADDRESS, User.objects.all())


def locked_user_of_confirmation(uid: str, token: str) -> User:
    """The same, locked in the transaction. Raises InvalidLink."""
    return _user_of(uid, token, _ADDRESS, User.objects.select_for_update(no_key=True))


def _link(page: str, user: User, tokens: PasswordResetTokenGenerator) -> str:
    query = urlencode({"uid": urlsafe_base64_encode(str(user.pk).encode()), "token": tokens.make_token(user)})
    return f"{settings.PUBLIC_URL}{reverse(page)}?{query}"


def _user_of(uid: str, token: str, tokens: PasswordResetTokenGenerator, users: QuerySet[User]) -> User:
    try:
        user = users.filter(pk=int(urlsafe_base64_decode(uid).decode()), is_active=True).first()
    except (ValueError, OverflowError):
        user = None
    if user is None or not tokens.check_token(user, token):
        raise InvalidLink
    return user
