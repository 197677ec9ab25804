"""Answering requests for charges and refunds: many at the same time, each by one call of the gateway."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from uuid import UUID

import structlog

from foundation.heartbeat import beat
from foundation.kill_points import kill_point
from foundation.metrics import PAYMENTS
from orders_app.event_log import Origin
from orders_app.messages import PaymentRefundRequested
from orders_app.payments.calls import Call, PaymentRequest, calls_of
from orders_app.payments.gateway import AnswerMissing, GatewayUnavailable, RefundRefused, gateway
from orders_app.payments.messages import PaymentFailed, PaymentMessage, PaymentRefunded, PaymentSucceeded
from orders_app.services.record_payment_answers import record_refund_failure

CALLS_AT_ONCE = 16
BEAT_SECONDS = 1.0
ACTOR = "service:payments"

Outcome = PaymentMessage | Exception | None
"""The answer to a request; None where there is nothing to answer (yet); or why it failed."""

_OUTCOMES = {PaymentSucceeded: "succeeded", PaymentFailed: "failed", PaymentRefunded: "refunded"}
log = structlog.get_logger(__name__)


def answer_requests(requests: Sequence[PaymentRequest]) -> list[Outcome]:
    """Charge, give back and look up what these requests ask for; the outcome of each.

    Safe to run again, with any part of them. A refund that the gateway refuses is recorded on its order.
    Raises GatewayUnavailable where the gateway answers nobody, and database errors: then nothing is known of
    any of them, and all are to be asked for again.
    """
    calls = calls_of(requests, gateway())
    kill_point("after-claim-before-charge")
    outcomes = _made_at_once(calls)
    if unavailable := next((each for each in outcomes if isinstance(each, GatewayUnavailable)), None):
        raise unavailable
    if any(isinstance(outcome, AnswerMissing) for outcome in outcomes):
        # Either these payments are in trouble, or the gateway is.
        gateway().ping()
    pairs = zip(requests, outcomes, strict=True)
    return [_recorded(request, outcome) for request, outcome in pairs]


def warm_up() -> None:
    """Connect to the gateway. Raises GatewayUnavailable."""
    gateway().ping()


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="gateway")


def _made_at_once(calls: Sequence[Call]) -> list[Outcome]:
    futures = [_threads().submit(call) for call in calls]
    while wait(futures, BEAT_SECONDS).not_done:
        beat()
    return [_outcome_of(future) for future in futures]


def _outcome_of(future: Future[PaymentMessage | None]) -> Outcome:
    try:
        return future.result()
    except Exception as error:  # whatever it is, it is about this request alone
        return error


def _recorded(request: PaymentRequest, outcome: Outcome) -> Outcome:
    """Count the outcome, and record a refused refund, to which there is no answer."""
    if isinstance(outcome, RefundRefused) and isinstance(request, PaymentRefundRequested):
        _record_refusal(request, outcome)
        return None
    if isinstance(outcome, PaymentMessage):
        PAYMENTS.labels(_OUTCOMES[type(outcome)]).inc()
    return outcome


def _record_refusal(request: PaymentRefundRequested, refusal: RefundRefused) -> None:
    PAYMENTS.labels("refund_refused").inc()
    log.error("the gateway refuses a refund", order=request.order_id, reason=str(refusal))
    record_refund_failure(
        order_id=UUID(request.order_id),
        refund=request.refund,
        failure=refusal.failure,
        origin=Origin(ACTOR),
    )
