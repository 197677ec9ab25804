"""The payment consumer: charges and gives back at the gateway, and sends the payment service's answers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, close_old_connections

from foundation.metrics import DUPLICATES_ABSORBED
from foundation.outage import DependencyUnavailable
from kafka_workers.consumers.answer_messages import answer_message
from kafka_workers.consumers.message_money import require_money
from kafka_workers.consumers.message_values import ValueReader
from kafka_workers.contract.topics import TOPIC_OF
from kafka_workers.runtime.consuming.definition import ConsumerDefinition, DecodedMessage, SomeFailed
from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage
from kafka_workers.workers import PAYMENT
from orders_app.messages import PaymentRefundRequested, PaymentRequested
from orders_app.payments.answering import CALLS_AT_ONCE, answer_requests, warm_up
from orders_app.payments.calls import AnsweredBefore, Contradicted, PaymentRequest
from orders_app.payments.messages import PaymentMessage, PaymentRefunded
from orders_app.payments.webhooks.looking_up import look_up_payments

BATCH_SECONDS = 5.0

_READERS: Mapping[str, ValueReader[Any]] = {
    TOPIC_OF[value].name: ValueReader(value) for value in (PaymentRequested, PaymentRefundRequested)
}


def decode(received: ReceivedMessage) -> PaymentRequest:
    """The request in a message. Raises InvalidMessage."""
    request: PaymentRequest = _READERS[received.topic].read(received.value)
    require_money(request)
    return request


def handle(batch: Sequence[DecodedMessage[PaymentRequest]]) -> Iterable[OutgoingMessage]:
    """Answer a batch of requests; those to which there is nothing to answer (yet) get none.

    Raises DependencyUnavailable, and SomeFailed where single payments are in trouble.
    """
    close_old_connections()
    try:
        outcomes = answer_requests(
            [decoded.value for decoded in batch], [decoded.received.trace_parent for decoded in batch]
        )
    except (OperationalError, InterfaceError) as error:
        raise DependencyUnavailable("PostgreSQL", str(error)) from error
    now = datetime.now(UTC)
    pairs = list(zip(batch, outcomes, strict=True))
    answers = [
        _message(decoded.received, outcome, now)
        for decoded, outcome in pairs
        if isinstance(outcome, PaymentMessage)
    ]
    failures = {
        index: _failure(outcome) for index, outcome in enumerate(outcomes) if isinstance(outcome, Exception)
    }
    repeated = sum(isinstance(outcome, AnsweredBefore) for outcome in outcomes)
    DUPLICATES_ABSORBED.labels(PAYMENT.group).inc(repeated)
    if failures:
        raise SomeFailed(answers, failures)
    return answers


def _failure(error: Exception) -> Exception:
    """No retry helps a request that its order contradicts."""
    return InvalidMessage(str(error)) if isinstance(error, Contradicted) else error


def _message(request: ReceivedMessage, answer: PaymentMessage, now: datetime) -> OutgoingMessage:
    number = answer.refund if isinstance(answer, PaymentRefunded) else answer.attempt
    return answer_message(request, answer, now, of=f"{answer.order_id}:{number}")


def check_settings() -> None:
    """Raises ImproperlyConfigured where there is no gateway."""
    if not settings.STRIPE_SECRET_KEY:
        raise ImproperlyConfigured(
            "STRIPE_SECRET_KEY is not set: without the key of an account at the payment gateway "
            "there is nothing to run (docs/settings.md)."
        )


PAYMENT_CONSUMER = ConsumerDefinition(
    group=PAYMENT.group,
    topics=PAYMENT.reads,
    decode=decode,
    handle=handle,
    check=check_settings,
    warm_up=warm_up,
    beside=(look_up_payments,),
    batch_size=CALLS_AT_ONCE,
    time_budget=BATCH_SECONDS,
)
