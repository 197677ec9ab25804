"""A new password for somebody who has forgotten theirs, by a link that is sent to their address."""

from axes.utils import reset as forget_wrong_passwords
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password

from foundation.mail_addresses import normal_form
from orders_app.accounts.links import InvalidLink, user_of_reset
from orders_app.accounts.mail_queue import Kind, queue_mail


def request_reset(*, address: str) -> None:
    """Ask for a link to be sent to the account with this address, if there is one.

    Nothing is looked up here: the answer, and the time until it, are the same for every address. The worker
    that sends mail looks for the account.
    """
    queue_mail(kind=Kind.PASSWORD_RESET, address=normal_form(address))


def reset_password(*, uid: str, token: str, password: str) -> None:
    """Set a new password, which ends all sign-ins and sessions (migration 0004, and Django).

    Wrong passwords that were counted for the name are forgotten. Raises InvalidLink, and ValidationError
    where the rules of passwords refuse it; the link can then be used again.
    """
    user = user_of_reset(uid, token)
    validate_password(password, user)
    # Hashing takes long: no transaction is open meanwhile, and a link that was used in between is void.
    unchanged = User.objects.filter(pk=user.pk, password=user.password, email=user.email, is_active=True)
    if not unchanged.update(password=make_password(password)):
        raise InvalidLink
    forget_wrong_passwords(username=user.get_username())
