"""The names of the actors of events: the customer, staff by name, and the parts of the system."""

import re
from collections.abc import Iterable, Mapping

from django.contrib.auth.models import User
from django.utils.translation import gettext, gettext_noop

SERVICES: Mapping[str, str] = {
    "service:products": gettext_noop("Stock service"),
    "service:payments": gettext_noop("Payment service"),
    "service:gateway": gettext_noop("Payment gateway"),
    "service:expiry": gettext_noop("Hold expiry"),
    "service:audit": gettext_noop("Audit"),
}
SHOP = gettext_noop("The shop")
CUSTOMER = gettext_noop("Customer")
PERSON = re.compile(r"(?:customer|staff):([0-9]{1,9})")


def actor_names(actors: Iterable[str], *, for_staff: bool, shows_customer: bool) -> dict[str, str]:
    """What these actors are called, by actor.

    A customer is "Customer" without `shows_customer`, and all others are "The shop" unless `for_staff`. A
    deleted account has no name: its actor stands for it.
    """
    distinct = set(actors)
    named = {actor for actor in distinct if (shows_customer if _is_customer(actor) else for_staff)}
    accounts = _account_names(named)
    return {actor: _name(actor, accounts) if actor in named else _kind_name(actor) for actor in distinct}


def shown_actor(actor: str, *, for_staff: bool) -> str:
    """The actor for programs; customers do not learn which person or part of the shop it was."""
    return actor if for_staff or _is_customer(actor) else f"{_kind(actor)}:shop"


def _name(actor: str, accounts: Mapping[int, str]) -> str:
    return accounts.get(_account_id(actor)) or gettext(SERVICES.get(actor, actor))


def _kind_name(actor: str) -> str:
    return gettext(CUSTOMER if _is_customer(actor) else SHOP)


def _account_names(actors: Iterable[str]) -> dict[int, str]:
    ids = {_account_id(actor) for actor in actors} - {0}
    accounts = User.objects.filter(pk__in=ids).only("first_name", "last_name", "username")
    return {account.pk: account.get_full_name() or account.get_username() for account in accounts}


def _account_id(actor: str) -> int:
    """The account of a person; 0 of anything else."""
    person = PERSON.fullmatch(actor)
    return int(person[1]) if person else 0


def _is_customer(actor: str) -> bool:
    return _kind(actor) == "customer"


def _kind(actor: str) -> str:
    return actor.partition(":")[0]
