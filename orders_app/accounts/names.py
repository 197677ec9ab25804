"""User names: one normal form decides whether two are the same.

Every door finds its user here. The receivers see every user that is saved, whoever saves it.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import User
from django.core import checks
from django.core.exceptions import ValidationError
from django.db import connections

from foundation.user_names import (
    MAX_NAME,
    UnsoundName,
    normal_form,
    require_sound,
    require_sound_new,
    shown_form,
)
from orders_app.models import AccountName

USERNAME_TAKEN = "A user with that username already exists."
BATCH = 1_000


def find_user(name: str) -> User | None:
    """The user whose name this is: exactly, or else by its normal form."""
    try:
        require_sound(name)
    except UnsoundName:
        return None
    exact = User.objects.filter(username=name).first()
    return exact or User.objects.filter(account_name__normal_form=normal_form(name)).first()


def checked_name(name: str, user_id: int | None = None) -> str:
    """The name as it is to be stored for this user (None: a new one).

    Raises ValidationError where it is too long, has control characters, or is another user's.
    """
    try:
        require_sound_new(name)
    except UnsoundName as problem:
        raise ValidationError(str(problem), problem.code) from problem
    shown = shown_form(name)
    other = find_user(shown)
    if other and other.pk != user_id:
        raise ValidationError(USERNAME_TAKEN, "unique")
    return shown


def check_name(instance: User, raw: bool, update_fields: Sequence[str] | None, **_: Any) -> None:
    """Before a user is saved: check its name if it is new. Raises ValidationError."""
    if raw or not _saves_name(update_fields):
        return
    if instance.username != User.objects.filter(pk=instance.pk).values_list("username", flat=True).first():
        instance.username = checked_name(instance.username, instance.pk)


def keep_normal_form(
    instance: User, created: bool, raw: bool, update_fields: Sequence[str] | None, **_: Any
) -> None:
    """After a user was saved: keep the normal form of its name.

    Raises IntegrityError where a user that was stored at the same moment has it.
    """
    if not _saves_name(update_fields):
        return
    name = AccountName(user=instance, normal_form=normal_form(instance.username))
    if created and not raw:
        name.save(force_insert=True)
        return
    # A trigger has deleted the form of a former name.
    AccountName.objects.bulk_create([name], ignore_conflicts=True)


def _saves_name(update_fields: Sequence[str] | None) -> bool:
    return update_fields is None or "username" in update_fields


def keep_all_normal_forms(sender: AppConfig, **_: Any) -> None:
    """After `migrate`: keep the normal forms of users that were stored before, or behind Django's back.

    Of users that collide the oldest gets it.
    """
    missing = User.objects.filter(account_name=None).order_by("pk").only("username")
    names = (AccountName(user=user, normal_form=normal_form(user.username)) for user in missing.iterator())
    fitting = (name for name in names if len(name.normal_form) <= MAX_NAME)
    AccountName.objects.bulk_create(fitting, batch_size=BATCH, ignore_conflicts=True)


def colliding_names(databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """System check: the users who can sign in by their exact name alone."""
    tables = connections["default"].introspection.table_names() if "default" in (databases or ()) else ()
    if AccountName._meta.db_table not in tables:  # noqa: SLF001 - Django documents `_meta`
        return []
    nameless = User.objects.filter(account_name=None).order_by("pk")
    return [_collision(user) for user in nameless]


def _collision(user: User) -> checks.CheckMessage:
    form = normal_form(user.username)
    holder = AccountName.objects.filter(normal_form=form).select_related("user").first()
    if holder is None:
        problem = f"The name of user {user.username!r} (id {user.pk}) is not known in its normal form."
        hint = f"Run `manage.py migrate`. A name of more than {MAX_NAME} characters needs another one."
    else:
        problem = (
            f"The names of users {holder.user.username!r} (id {holder.user_id}) and {user.username!r} "
            f"(id {user.pk}) differ in case or form alone."
        )
        hint = "Each signs in by the exact name. Rename one of them in the admin."
    return checks.Warning(problem, hint=hint, id="stockbridge.W001")
