"""The email consumer: tells customers by mail what happens to their orders, and sends nothing over Kafka."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError

from foundation.outage import DependencyUnavailable
from kafka_workers.consumers.message_money import require_money
from kafka_workers.consumers.message_values import ValueReader
from kafka_workers.contract.topics import ORDERS, TOPIC_OF
from kafka_workers.runtime.broker.topics import DEAD_LETTER_RETENTION
from kafka_workers.runtime.consuming.definition import ConsumerDefinition, DecodedMessage
from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.messages.message import ReceivedMessage
from kafka_workers.workers import EMAIL
from orders_app.accounts.send_account_mails import send_account_mails
from orders_app.inbox import INBOX_AGE, message_key
from orders_app.mail.composing import compose_mail
from orders_app.mail.events import (
    Cancelled,
    Confirmed,
    Delivered,
    Facts,
    MailEvent,
    MailLine,
    Money,
    PaymentFailed,
    Placed,
    Refunded,
    Shipped,
    cause_of,
)
from orders_app.mail.examples import example_events
from orders_app.mail.reader import Reader
from orders_app.mail.server import DEFERRED_FOR, MailServer
from orders_app.mail.telling import CustomerMail, MaybeSentTwice
from orders_app.messages import Item, OrderCancelled, OrderCompleted, OrderCreated, OrderStatusChanged
from orders_app.money import from_minor_units
from orders_app.payments import messages as payments
from orders_app.state_machine import OrderStatus, PaymentMethod, is_last_decline

BATCH_MAILS = 10_000
"""So many messages of a backlog are sorted by time together: customers are told in that order."""


def _placed(value: OrderCreated) -> Facts:
    lines = [
        MailLine(item.product_name, item.quantity, Money(item.quantity * item.price, value.currency))
        for item in value.items
    ]
    return Placed(
        lines=tuple(lines),
        total=Money(value.total_amount, value.currency),
        is_prepaid=bool(value.total_amount) and value.payment_method != PaymentMethod.CASH_ON_DELIVERY,
        at=value.created_at,
    )


def _status_changed(value: OrderStatusChanged) -> Facts | None:
    """Confirmed or shipped; the other changes have topics of their own."""
    match value.new_status:
        case OrderStatus.PROCESSING:
            return Confirmed(at=value.timestamp)
        case OrderStatus.SHIPPED:
            return Shipped(tracking_number=value.tracking_number or "", at=value.timestamp)
        case _:
            return None


def _cancelled(value: OrderCancelled) -> Facts:
    return Cancelled(
        cause=cause_of(value.code or ""),
        reason=value.reason,
        lines=_lines(value.items),
        at=value.cancelled_at,
    )


def _delivered(value: OrderCompleted) -> Facts:
    return Delivered(lines=_lines(value.items), at=value.delivered_at)


def _payment_failed(value: payments.PaymentFailed) -> Facts:
    return PaymentFailed(
        amount=_money(value.amount, value.currency),
        detail=value.detail,
        is_last=is_last_decline(value.code, value.attempt),
        at=value.timestamp,
    )


def _refunded(value: payments.PaymentRefunded) -> Facts:
    return Refunded(amount=_money(value.amount, value.currency), reason=value.reason, at=value.timestamp)


def _lines(items: Sequence[Item]) -> tuple[MailLine, ...]:
    return tuple(MailLine(item.product_name, item.quantity) for item in items)


def _money(minor_units: int, currency: str) -> Money:
    return Money(from_minor_units(minor_units, currency), currency)


# How the value of each topic is read, and what its mail tells; None where there is no mail.
_TOPICS: Mapping[str, tuple[ValueReader[Any], Callable[[Any], Facts | None]]] = {
    TOPIC_OF[kind].name: (ValueReader(kind), facts_of)
    for kind, facts_of in (
        (OrderCreated, _placed),
        (OrderStatusChanged, _status_changed),
        (OrderCancelled, _cancelled),
        (OrderCompleted, _delivered),
        (payments.PaymentFailed, _payment_failed),
        (payments.PaymentRefunded, _refunded),
    )
}


def decode(received: ReceivedMessage) -> MailEvent | None:
    """The event in a message; None for one of which no mail tells. Raises InvalidMessage."""
    reader, facts_of = _TOPICS[received.topic]
    value = reader.read(received.value)
    require_money(value)
    facts = facts_of(value)
    if facts is None:
        return None
    return MailEvent(
        key=message_key(received.source, received.id),
        event_id=_event_id(received),
        order_id=value.order_id,
        order_number=value.order_number,
        user_id=value.user_id,
        facts=facts,
    )


def _event_id(received: ReceivedMessage) -> str:
    """The id that the event has in the order log, where it is from there; else the message's."""
    is_from_the_log = received.source == ORDERS
    return received.id.removesuffix(f":{received.topic}") if is_from_the_log else received.id


class _Mailing:
    """What this process keeps from message to message."""

    def __init__(self) -> None:
        self.server = MailServer()
        self.customer_mail = CustomerMail(self.server)


@cache
def _mailing() -> _Mailing:
    """The one of this process, made at its first use: only then the settings of the database are certain."""
    return _Mailing()


def handle_each(
    decoded: DecodedMessage[MailEvent | None], upcoming: DecodedMessage[MailEvent | None] | None
) -> None:
    """Send the mail about one event. Raises DependencyUnavailable, InvalidMessage and MailDeferred."""
    if decoded.value is None:
        return
    try:
        with _noticing_outages():
            _mailing().customer_mail.tell_customer(decoded.value, upcoming.value if upcoming else None)
    except MaybeSentTwice as error:
        raise InvalidMessage(str(error)) from error


def finish() -> None:
    """Record the end of the last mail. Raises DependencyUnavailable."""
    with _noticing_outages():
        _mailing().customer_mail.record_end()


@contextmanager
def _noticing_outages() -> Iterator[None]:
    """Raises DependencyUnavailable where PostgreSQL does not answer; the next try connects anew."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        _mailing().customer_mail.disconnect()
        raise DependencyUnavailable("PostgreSQL", str(error)) from error


def clean_up() -> None:
    """Record the end of the last mail if that can be done, and close the connections."""
    with suppress(DependencyUnavailable):
        finish()
    _mailing().customer_mail.disconnect()
    _mailing().server.close()


def warm_up() -> None:
    """Read a user, write a mail and connect to the mail server; sends nothing. Raises what these raise."""
    for event in example_events("0").values():
        compose_mail(event, Reader("0", "nobody@example.com"))
        _mailing().customer_mail.warm_up(event)
    _mailing().server.connect()


def check_settings() -> None:
    """Raises ImproperlyConfigured where mails could not be sent, or could be sent a second time."""
    for name, value in (("EMAIL_URL", settings.EMAIL_URL), ("PUBLIC_URL", settings.PUBLIC_URL)):
        if not value:
            raise ImproperlyConfigured(f"{name} is not set: without it no mail can be sent.")
    longest = timedelta(days=settings.KAFKA_RETENTION_DAYS) + DEFERRED_FOR + DEAD_LETTER_RETENTION
    if longest >= INBOX_AGE:
        most = (INBOX_AGE - DEFERRED_FOR - DEAD_LETTER_RETENTION).days - 1
        raise ImproperlyConfigured(
            f"KAFKA_RETENTION_DAYS must be at most {most}: topics and dead letters could give a message "
            f"again after {longest.days} days, but which mails were sent is known for {INBOX_AGE.days} days."
        )


EMAIL_CONSUMER = ConsumerDefinition(
    group=EMAIL.group,
    topics=EMAIL.reads,
    decode=decode,
    handle_each=handle_each,
    finish=finish,
    check=check_settings,
    warm_up=warm_up,
    clean_up=clean_up,
    beside=(send_account_mails,),
    batch_size=BATCH_MAILS,
)
