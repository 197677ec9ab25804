"""Erasing the personal data of a user: in steps, each of which may be interrupted and is safe to run again.

The account is closed first, so that nothing new comes; it keeps its name until the last step, by which a
second run finds it.
"""

import secrets
import time
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

import structlog
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from foundation.kill_points import kill_point
from orders_app.accounts.ended_sign_ins import POLL_SECONDS
from orders_app.event_log.statements import without_time_limit
from orders_app.models import MailAddressChange, Redaction, SignIn
from orders_app.personal_data.holdings import ACCOUNT_MAILS, ERASED, HOLDINGS, Holding
from orders_app.personal_data.obstacles import require_erasable
from orders_app.personal_data.orders import (
    add_to_record,
    count_redactable_orders,
    redact_orders,
    slices_of_orders,
)
from orders_app.personal_data.person import Person, person_of

TOKENS_END_SECONDS = POLL_SECONDS + 1
"""So long after the end of a sign-in some process may still accept its access token."""
PAUSE_SECONDS = 0.1
"""Between two looks whether that time is over."""

log = structlog.get_logger(__name__)


def erase_person(*, person: Person, requested_by: str) -> Redaction:
    """Erase the personal data of this user, and record it; gives the record.

    Raises NotErasable: before anything is done, or, where an order was placed while the account was being
    closed, with the account closed and its orders as they were.
    """
    redaction = _close_account(person.user_id, requested_by)
    kill_point("after-account-closed")
    _await_end_of_tokens(person.user_id)
    require_erasable(person.user_id)
    for order_ids in slices_of_orders(person.user_id):
        redact_orders(redaction, order_ids)
        kill_point("after-redacting-orders")
    for holding in HOLDINGS:
        _erase_rows(redaction, person, holding)
    redaction.refresh_from_db()
    _remove_old_versions(redaction.replaced)
    kill_point("before-redaction-ended")
    _end(redaction, person)
    log.info("personal data erased", user=person.user_id, redaction=redaction.pk)
    return redaction


def count_personal_rows(person: Person) -> Counter[str]:
    """How many rows of which table an erasure would change; raises NotErasable where it would refuse."""
    require_erasable(person.user_id)
    counted = Counter(auth_user=1)
    for order_ids in slices_of_orders(person.user_id):
        counted += count_redactable_orders(person.user_id, order_ids)
    for holding in HOLDINGS:
        rows = holding.to_erase(person)
        counted[rows.model._meta.db_table] += rows.count()  # noqa: SLF001 - Django documents `_meta`
    return +counted


def _close_account(user_id: int, requested_by: str) -> Redaction:
    """Let nobody sign in any more, and begin the record, or go on with that of a run that was interrupted.

    What is found by the mail address is erased here, in the transaction in which the address goes.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        require_erasable(user_id)
        redaction, _ = Redaction.objects.get_or_create(
            user_id=user_id, ended_at=None, defaults={"requested_by": requested_by}
        )
        _erase_rows(redaction, person_of(user), ACCOUNT_MAILS)
        MailAddressChange.objects.filter(user=user).delete()
        user.is_active, user.last_login = False, None
        user.email = user.first_name = user.last_name = ""
        user.set_unusable_password()
        user.save()
        user.groups.clear()
        user.user_permissions.clear()
    return redaction


def _await_end_of_tokens(user_id: int) -> None:
    """Wait until no process accepts a token of a sign-in that has just ended: it could place an order."""
    lately = Now() - timedelta(seconds=TOKENS_END_SECONDS)
    while SignIn.objects.filter(user_id=user_id, ended_at__gt=lately).exists():
        time.sleep(PAUSE_SECONDS)


def _erase_rows(redaction: Redaction, person: Person, holding: Holding) -> None:
    with transaction.atomic():
        rows = holding.to_erase(person)
        if number := holding.erase(rows):
            add_to_record(redaction, Counter({rows.model._meta.db_table: number}))  # noqa: SLF001 - documented


def _remove_old_versions(tables: Iterable[str]) -> None:
    """Let PostgreSQL remove the old versions of the rows, which it keeps until it vacuums their table.

    Of a table that changes no more, such as a month of the archive, it would not do so by itself.
    """
    with without_time_limit() as cursor:
        for table in sorted(tables):
            cursor.execute(f"VACUUM {connection.ops.quote_name(table)}")


def _end(redaction: Redaction, person: Person) -> None:
    """Replace the name, by which a run that was interrupted is found until now, and end the record."""
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=person.user_id)
        if not user.username.startswith(f"{ERASED}-{user.pk}-"):
            # With an end that nobody can guess, so that nobody has registered the name before.
            user.username = f"{ERASED}-{user.pk}-{secrets.token_hex(4)}"
            user.save(update_fields=["username"])
        add_to_record(redaction, Counter(auth_user=1))
        Redaction.objects.filter(pk=redaction.pk).update(ended_at=timezone.now())
