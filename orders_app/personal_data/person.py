"""The person whose data is exported or erased."""

from django.contrib.auth.models import User
from msgspec import Struct

from foundation.mail_addresses import normal_form
from orders_app.accounts.names import find_user
from orders_app.models import MailAddressChange


class Person(Struct, frozen=True):
    """A user, and what names them in rows that have no id of a user."""

    user_id: int
    username: str
    addresses: frozenset[str]
    """Their mail addresses: as stored, and in the normal form."""


class NoSuchUser(Exception):
    """No user has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no user {name!r}.")


def find_person(name: str) -> Person:
    """The user with this name, exactly or by its normal form. Raises NoSuchUser."""
    user = find_user(name)
    if user is None:
        raise NoSuchUser(name)
    return person_of(user)


def person_of(user: User) -> Person:
    """The user as a person, with the mail address that they have not confirmed yet too."""
    wished = MailAddressChange.objects.filter(user=user).values_list("address", flat=True)
    addresses = {address for address in (user.email, *wished) if address}
    return Person(user.pk, user.username, frozenset(addresses | set(map(normal_form, addresses))))
