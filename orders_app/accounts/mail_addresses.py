"""Mail addresses: one account holds an address, in any form of it; only what is held counts.

The receivers see every user that is saved, whoever saves it. An address that another user holds may be saved
all the same, so that no answer tells who has an account; its user then gets no mail.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import User
from django.core import checks
from django.core.exceptions import ValidationError
from django.db import connections

from foundation.mail_addresses import UnsoundMailAddress, normal_form, require_sound_new, shown_form
from orders_app.models import AccountMailAddress

ADDRESS_HELD = "Another user holds this e-mail address."
BATCH = 1_000
MOST_LISTED = 100


def sound_address(address: str) -> str:
    """A new address as it is stored. Raises ValidationError where no new account may have it."""
    shown = shown_form(address)
    try:
        require_sound_new(shown)
    except UnsoundMailAddress as problem:
        raise ValidationError(str(problem), problem.code) from problem
    return shown


def free_address(address: str, user_id: int) -> str:
    """The same for an address that no other user holds. Raises ValidationError."""
    shown = sound_address(address)
    holder = find_holder(shown)
    if holder and holder.pk != user_id:
        raise ValidationError(ADDRESS_HELD, "unique")
    return shown


def find_holder(address: str) -> User | None:
    """The user who holds this address, in any form of it."""
    return User.objects.filter(account_mail_address__normal_form=normal_form(address)).first()


def holds_address(user: User) -> bool:
    """Whether the user's own address counts."""
    return AccountMailAddress.objects.filter(pk=user.pk).exists()


def hold_address(
    instance: User, created: bool, raw: bool, update_fields: Sequence[str] | None, **_: Any
) -> None:
    """After a user was saved: they hold their address, unless another user does.

    A trigger has deleted the hold of a former address.
    """
    if instance.email and (update_fields is None or "email" in update_fields):
        AccountMailAddress.objects.bulk_create([_hold(instance)], ignore_conflicts=True)


def hold_all_addresses(sender: AppConfig, **_: Any) -> None:
    """After `migrate`: the same for users that were stored before, or behind Django's back.

    Of users that collide the oldest holds the address. A database that was migrated to an earlier state may
    have no table of addresses.
    """
    if not _table_is_there():
        return
    missing = _without_hold().only("email")
    holds = (_hold(user) for user in missing.iterator())
    AccountMailAddress.objects.bulk_create(holds, batch_size=BATCH, ignore_conflicts=True)


def colliding_addresses(databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """System check: the users whose address does not count, the oldest MOST_LISTED of them."""
    if "default" not in (databases or ()) or not _table_is_there():
        return []
    return [_collision(user) for user in _without_hold()[:MOST_LISTED]]


def _table_is_there() -> bool:
    name = AccountMailAddress._meta.db_table  # noqa: SLF001 - Django documents `_meta`
    return name in connections["default"].introspection.table_names()


def _without_hold() -> Any:
    return User.objects.filter(account_mail_address=None).exclude(email="").order_by("pk")


def _hold(user: User) -> AccountMailAddress:
    return AccountMailAddress(user=user, normal_form=normal_form(user.email))


def _collision(user: User) -> checks.CheckMessage:
    holder = find_holder(user.email)
    named = f"user {user.username!r} (id {user.pk})"
    if holder is None:
        problem, hint = f"The mail address of {named} is not known yet.", "Run `manage.py migrate`."
    else:
        problem = f"The mail address of {named} is held by user {holder.username!r} (id {holder.pk})."
        hint = (
            "It does not count: this user gets no mail, and no link to a new password. Give them another one."
        )
    return checks.Warning(problem, hint=hint, id="stockbridge.W002")
