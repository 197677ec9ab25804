"""Deleting what has expired: tokens, sign-ins, sessions, wrong passwords, records of mails and webhooks."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from orders_app.inbox import INBOX_AGE
from orders_app.models import AccountMail, GatewayEvent, InboxMessage, MailAddressChange, MailRecord, SignIn

BATCH_ROWS = 500
MARGIN = timedelta(days=1)
"""How long rows stay after they have expired: clocks differ, and requests that began before go on."""
LOOKED_UP_AGE = timedelta(days=60)
"""The gateway sends an event again for some days, and for 30 when it is asked to."""


def expired() -> Mapping[str, QuerySet[Any]]:
    """The rows that are of no use any more, by what they are.

    No refresh token that has expired is accepted, used or not; the entry of the block list goes with it.
    A mail about an account that could not be sent for a day is of no use any more either.
    """
    moment = timezone.now() - MARGIN
    # The oldest by id expire first, as all live equally long; their expiry has no index.
    first_tokens = OutstandingToken.objects.order_by("pk").values_list("pk", flat=True)[:BATCH_ROWS]
    looked_up = GatewayEvent.objects.filter(kind=GatewayEvent.Kind.PAYMENT)
    # Found by the time and not by the id, which is the gateway's.
    first_looked_up = looked_up.order_by("received_at").values_list("pk", flat=True)[:BATCH_ROWS]
    return {
        "refresh_token": OutstandingToken.objects.filter(pk__in=first_tokens, expires_at__lt=moment),
        "sign_in": SignIn.objects.filter(Q(expires_at__lt=moment) | Q(ended_at__lt=moment)),
        "session": Session.objects.filter(expire_date__lt=moment),
        "account_mail": AccountMail.objects.filter(created_at__lt=moment),
        "mail_address_change": MailAddressChange.objects.filter(requested_at__lt=moment),
        "inbox_message": InboxMessage.objects.filter(begun_at__lt=moment - INBOX_AGE),
        "mail_record": MailRecord.objects.filter(begun_at__lt=moment - INBOX_AGE),
        "gateway_event": looked_up.filter(pk__in=first_looked_up, received_at__lt=moment - LOOKED_UP_AGE),
        "wrong_password": AccessAttempt.objects.filter(attempt_time__lt=moment - settings.AXES_COOLOFF_TIME),
    }


def delete_batch(rows: QuerySet[Any]) -> int:
    """Delete some of these rows in one short transaction; returns how many, 0 when none is left."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH_ROWS])
    rows.model.objects.filter(pk__in=ids).delete()
    return len(ids)
