"""The record of each mail, per event and address: written before it is sent, and when its end is known."""

from django.db import transaction
from django.db.models.functions import Now
from msgspec import Struct

from foundation import metrics
from orders_app import inbox
from orders_app.inbox import Beginning
from orders_app.mail.composing import mail_id_of, one_line
from orders_app.mail.events import MailEvent
from orders_app.models import MailRecord

MAIL_GROUP = "email-service-group"
State = MailRecord.State
MAX_TEXT = 64


class MailEnd(Struct, frozen=True):
    """What became of a mail, and why where it was not sent."""

    state: MailRecord.State
    detail: str = ""


def begin_mail(event: MailEvent, address: str) -> Beginning:
    """Record that the mail is being sent now, unless it has been, or that may have happened too often."""
    with transaction.atomic():
        beginning = inbox.begin(group=MAIL_GROUP, key=event.key)
        if beginning is not Beginning.DONE:
            state = State.SENDING if beginning is Beginning.BEGUN else State.UNSURE
            _write(event, address, MailEnd(state))
    if beginning is Beginning.UNSURE:
        metrics.MAILS.labels(State.UNSURE).inc()
    return beginning


def end_mail(event: MailEvent, address: str, end: MailEnd) -> None:
    """Record the end of the mail, and that its message is done."""
    with transaction.atomic():
        inbox.finish(group=MAIL_GROUP, key=event.key)
        _write(event, address, end, ended_at=Now())
    metrics.MAILS.labels(end.state).inc()


def put_off_mail(event: MailEvent, address: str, end: MailEnd) -> None:
    """Record that the mail was certainly not sent, and is to be sent later."""
    with transaction.atomic():
        inbox.take_back(group=MAIL_GROUP, key=event.key)
        _write(event, address, end)
    metrics.MAILS.labels(end.state).inc()


def _write(event: MailEvent, address: str, end: MailEnd, ended_at: Now | None = None) -> None:
    record = MailRecord(
        message_id=event.key,
        event_id=mail_id_of(event.event_id),
        order_number=one_line(event.order_number)[:MAX_TEXT],
        user_id=one_line(event.user_id)[:MAX_TEXT],
        kind=event.kind,
        address=one_line(address),
        state=end.state,
        detail=end.detail,
        begun_at=Now(),
        ended_at=ended_at,
    )
    MailRecord.objects.bulk_create(
        [record],
        update_conflicts=True,
        unique_fields=["message_id", "address"],
        update_fields=["state", "detail", "begun_at", "ended_at"],
    )
