"""What users change of their own account: names, mail, and their mail address, which a mail confirms."""

from collections.abc import Mapping

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from orders_app.accounts.links import InvalidLink, locked_user_of_confirmation
from orders_app.accounts.mail_addresses import ADDRESS_HELD, holds_address
from orders_app.accounts.mail_queue import Kind, queue_mail
from orders_app.models import MailAddressChange, MailPreference


def register_customer(*, username: str, email: str, password: str) -> User:
    """Store a new customer. Where another account holds the address, its user is told by mail.

    The email consumer finds out whether one does, so that the time until the answer does not tell it.

    Raises ValidationError or IntegrityError where the user name has been taken meanwhile.
    """
    user = User(username=username, email=email, password=make_password(password))
    with transaction.atomic():
        user.save()
        queue_mail(kind=Kind.ADDRESS_HELD, address=email, user_id=user.pk)
    return user


def change_account(
    *, user: User, names: Mapping[str, str], mail: Mapping[str, object], address: str | None
) -> None:
    """Change what is given, all of it or nothing; `names` are fields of the user, `mail` of MailPreference.

    Raises ValidationError or IntegrityError where the user name has been taken meanwhile.
    """
    with transaction.atomic():
        if names:
            for field, value in names.items():
                setattr(user, field, value)
            user.save(update_fields=list(names))
        if mail:
            MailPreference.objects.update_or_create(user=user, defaults=mail)
        if address is not None and needs_confirmation(user, address):
            _request_address(user, address)
        elif address is not None:
            MailAddressChange.objects.filter(user=user).delete()


def needs_confirmation(user: User, address: str | None) -> bool:
    """Whether this is another address than the user has given so far."""
    return address is not None and address != user.email


def _request_address(user: User, address: str) -> None:
    """Ask for a new address, which counts once a mail to it has confirmed it; the one until now is told."""
    change = {"address": address, "requested_at": timezone.now()}
    MailAddressChange.objects.update_or_create(user=user, defaults=change)
    if user.email:
        queue_mail(kind=Kind.ADDRESS_CHANGE, address=user.email, user_id=user.pk)
    queue_mail(kind=Kind.CONFIRM_ADDRESS, address=address, user_id=user.pk)


def confirm_address(*, uid: str, token: str) -> None:
    """Make the address that a user has asked for theirs.

    Raises InvalidLink, and ValidationError where another account holds it by now.
    """
    with transaction.atomic():
        user = locked_user_of_confirmation(uid, token)
        change = MailAddressChange.objects.filter(user=user).first()
        if change is None:
            raise InvalidLink
        user.email = change.address
        # A trigger deletes the change, and the hold of the former address.
        user.save(update_fields=["email"])
        if not holds_address(user):
            raise ValidationError(ADDRESS_HELD, "unique")
