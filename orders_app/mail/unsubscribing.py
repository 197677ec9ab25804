"""Switching mail on and off, by a link in each mail that needs no sign-in (RFC 8058)."""

from django.conf import settings
from django.contrib.auth.models import User
from django.core.signing import BadSignature, Signer

from orders_app.models import MailPreference

UNSUBSCRIBE_PATH = "mail/unsubscribe/"


def unsubscribe_url(user_id: str) -> str:
    """The link for this user, which never expires: mails are kept for years."""
    return f"{settings.PUBLIC_URL}/{UNSUBSCRIBE_PATH}{_signer().sign(user_id)}/"


def user_of_token(token: str) -> int | None:
    """The id of the user whose link has this token; None for a token that we have not signed."""
    try:
        return int(_signer().unsign(token))
    except (BadSignature, ValueError):
        return None


def set_notifications(*, user_id: int, wanted: bool) -> None:
    """Switch a user's mail on or off; does nothing for a user who is deleted."""
    if User.objects.filter(pk=user_id).exists():
        MailPreference.objects.update_or_create(user_id=user_id, defaults={"notifications": wanted})


def _signer() -> Signer:
    return Signer(sep=".", salt="orders_app.mail.unsubscribe")
