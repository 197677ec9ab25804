"""Sign-ins: each password that was right starts one; log-out, a changed password, reuse and time end it."""

from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.exceptions import InvalidToken

from orders_app.accounts.tokens import (
    SIGN_IN,
    SIGN_IN_ENDED,
    UncheckedRefreshToken,
    create_token_pair,
    read_refresh_token,
)
from orders_app.models import SignIn

NO_ACCOUNT = "No active account found with the given credentials"
REUSED = "This refresh token has been used before, so its sign-in has ended: sign in again."


def start_sign_in(*, user: User) -> dict[str, str]:
    """Start a sign-in of a user whose password was right; returns its first token pair.

    Raises AuthenticationFailed where the password has changed, or the user was deactivated, meanwhile.
    """
    now = timezone.now()
    with transaction.atomic():
        # The lock: a change of the password ends this sign-in too, or is seen here.
        unchanged = User.objects.select_for_update(no_key=True).filter(password=user.password, is_active=True)
        if not unchanged.filter(pk=user.pk).exists():
            raise AuthenticationFailed(NO_ACCOUNT, "no_active_account")
        SignIn.objects.filter(
            Q(expires_at__lt=now) | Q(ended_at__lt=now - timedelta(days=1)), user_id=user.pk
        ).delete()
        sign_in = SignIn.objects.create(
            id=uuid4().hex,
            user_id=user.pk,
            created_at=now,
            expires_at=now + timedelta(days=settings.SIGN_IN_DAYS),
        )
        return create_token_pair(user, sign_in)


def refresh_sign_in(*, refresh_token: str) -> dict[str, str]:
    """Replace a refresh token: a new pair with the user's current claims.

    A token that is used twice shows that it was stolen, either this copy or the one that was used first:
    reuse detection ends the sign-in (RFC 9700, 4.14.2). Raises InvalidToken and AuthenticationFailed.
    """
    token = read_refresh_token(refresh_token)
    with transaction.atomic():
        # The lock serializes the rotations of a user: else a successor could be created while reuse detection
        # ends its sign-in.
        users = User.objects.select_for_update(no_key=True)
        user = users.filter(pk=token.get("user_id"), is_active=True).first()
        if user is None:
            raise AuthenticationFailed(NO_ACCOUNT, "no_active_account")
        pair = _rotate(token, user)
    if pair is None:
        raise InvalidToken(REUSED)
    return pair


def _rotate(token: UncheckedRefreshToken, user: User) -> dict[str, str] | None:
    """The successors of the token; None where it was used before, which ends its sign-in."""
    sign_in = SignIn.objects.filter(pk=token.get(SIGN_IN), ended_at=None, expires_at__gt=Now()).first()
    if sign_in is None:
        raise InvalidToken(SIGN_IN_ENDED)
    _, is_first_use = cast("tuple[Any, bool]", token.blacklist())  # the library annotates it wrongly
    if is_first_use:
        return create_token_pair(user, sign_in)
    _end(sign_in.id)
    return None


def end_sign_in(*, refresh_token: str) -> None:
    """End the sign-in of this refresh token, which may have been used. Raises InvalidToken."""
    _end(read_refresh_token(refresh_token).get(SIGN_IN))


def _end(sign_in_id: object) -> None:
    """A trigger tells it to all processes."""
    SignIn.objects.filter(pk=sign_in_id, ended_at=None).update(ended_at=Now())
