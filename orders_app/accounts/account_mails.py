"""Mails about accounts: each is written when it is sent, to an address that the account has then.

So no token is stored, a link goes to nobody who had the address before, and the request that asks for a mail
neither looks for an account nor tells by its time whether there is one.
"""

from collections.abc import Mapping

import msgspec
from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse

from orders_app.accounts.links import confirm_link, reset_link
from orders_app.accounts.mail_addresses import find_holder
from orders_app.accounts.mail_queue import Kind
from orders_app.mail.composing import Mail, address_mail, render_mail
from orders_app.mail.reader import Reader, reader_of
from orders_app.models import AccountMail

MINUTES = settings.PASSWORD_RESET_TIMEOUT // 60
_WITH_LINK = frozenset({Kind.PASSWORD_RESET, Kind.CONFIRM_ADDRESS})


def compose_account_mail(row: AccountMail) -> EmailMultiAlternatives | None:
    """The mail, with a new token where it has a link; None where there is nobody to send it to."""
    match row.kind:
        case Kind.PASSWORD_RESET:
            return _password_reset(row)
        case Kind.CONFIRM_ADDRESS:
            return _confirm_address(row)
        case Kind.ADDRESS_CHANGE:
            return _address_change(row)
        case _:
            return _address_held(row)


def _password_reset(row: AccountMail) -> EmailMultiAlternatives | None:
    user = User.objects.filter(account_mail_address__normal_form=row.address, is_active=True).first()
    if user is None or not user.has_usable_password():
        return None
    return _written(row, user, user.email, {"link": reset_link(user), "username": user.username})


def _confirm_address(row: AccountMail) -> EmailMultiAlternatives | None:
    """The link; or, where another account holds the address, the mail that tells its user."""
    asking = User.objects.filter(is_active=True, mail_address_change__address=row.address)
    user, holder = asking.filter(pk=row.user_id or 0).first(), find_holder(row.address)
    if user is None:
        return None
    if holder and holder.pk != user.pk:
        return _address_held(row)
    return _written(row, user, row.address, {"link": confirm_link(user)})


def _address_change(row: AccountMail) -> EmailMultiAlternatives | None:
    """News to the address until then, unless another account holds it."""
    user, holder = User.objects.filter(pk=row.user_id or 0).first(), find_holder(row.address)
    if user is None or (holder and holder.pk != user.pk):
        return None
    return _written(row, user, row.address, {"username": user.username})


def _address_held(row: AccountMail) -> EmailMultiAlternatives | None:
    holder = find_holder(row.address)
    if holder is None or not holder.is_active or holder.pk == row.user_id:
        return None
    return _written(row, holder, holder.email, {"username": holder.username}, Kind.ADDRESS_HELD)


def _written(
    row: AccountMail, user: User, address: str, facts: Mapping[str, object], kind: str = ""
) -> EmailMultiAlternatives | None:
    """The mail in the user's language; None for an address that no mail server takes.

    It greets nobody by name: a stranger may have chosen the name.
    """
    reader = msgspec.structs.replace(reader_of(user), address=address, name="")
    if not reader.has_usable_address:
        return None
    mail = _rendered(kind or row.kind, facts, reader)
    return address_mail(
        mail, reader, mail_id=f"account-{row.pk}-{int(row.created_at.timestamp())}", headers={}
    )


def example_account_mails(reader: Reader) -> Mapping[str, Mail]:
    """Every mail by its kind, as if this reader got it; its links lead nowhere."""
    page = f"{settings.PUBLIC_URL}{reverse('reset-password-page')}"
    facts = {"username": "alice"}
    facts_with_link = facts | {"link": f"{page}?uid=example&token=example"}
    nameless = msgspec.structs.replace(reader, name="")
    return {
        kind.value.replace("_", "-"): _rendered(
            kind, facts_with_link if kind in _WITH_LINK else facts, nameless
        )
        for kind in Kind
    }


def _rendered(kind: str, facts: Mapping[str, object], reader: Reader) -> Mail:
    context = {**facts, "minutes": MINUTES, "site": settings.PUBLIC_URL}
    return render_mail(f"mail/{kind}", context, reader)
