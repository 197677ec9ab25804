"""Answering requests for charges and refunds: many at the same time, each by one call of the gateway."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from statistics import median
from time import monotonic
from uuid import UUID

import structlog

from foundation.heartbeat import beat
from foundation.kill_points import kill_point
from foundation.metrics import PAYMENTS
from foundation.tracing import in_span
from orders_app.event_log import Origin
from orders_app.messages import PaymentRefundRequested
from orders_app.payments.calls import Answer, Call, PaymentRequest, calls_of
from orders_app.payments.gateway import AnswerMissing, GatewayUnavailable, RefundRefused, gateway
from orders_app.payments.messages import PaymentFailed, PaymentMessage, PaymentRefunded, PaymentSucceeded
from orders_app.services.record_payment_answers import record_refund_failure

CALLS_AT_ONCE = 32
SHORTEST_WAIT, LONGEST_WAIT = 1.0, 3.0
ANSWERS_REMEMBERED = 20
ACTOR = "service:payments"

Outcome = Answer | Exception
"""The answer to a request, or why it failed."""

_OUTCOMES = {PaymentSucceeded: "succeeded", PaymentFailed: "failed", PaymentRefunded: "refunded"}
log = structlog.get_logger(__name__)


def answer_requests(requests: Sequence[PaymentRequest], trace_parents: Sequence[str] = ()) -> list[Outcome]:
    """Charge, give back and look up what these requests ask for; the outcome of each.

    With the traceparents of the requests, each call of the gateway is a span of its trace. Safe to run again,
    with any part of them. A refund that the gateway refuses is recorded on its order.
    Raises GatewayUnavailable where the gateway answers nobody, and database errors: then nothing is known of
    any of them, and all are to be asked for again.
    """
    calls = calls_of(requests, gateway())
    if trace_parents:
        calls = [
            in_span("ask the payment gateway", trace_parent, call)
            for trace_parent, call in zip(trace_parents, calls, strict=True)
        ]
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


class _Patience:
    """How long a batch waits for its calls: twice as long as answers usually take, within bounds."""

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=ANSWERS_REMEMBERED)

    @property
    def seconds(self) -> float:
        """So long from now on."""
        usual = median(tuple(self._latest)) if self._latest else 0.0
        return min(LONGEST_WAIT, max(SHORTEST_WAIT, 2 * usual))

    def note(self, call: Future[Answer], started: float) -> None:
        """A call has ended; one without an answer says nothing about the others."""
        if not isinstance(call.exception(), AnswerMissing):
            self._latest.append(monotonic() - started)


_patience = _Patience()


@cache
def _threads() -> ThreadPoolExecutor:
    # Twice as many as a batch has calls: those that were given up go on until their time is over.
    return ThreadPoolExecutor(2 * CALLS_AT_ONCE, thread_name_prefix="gateway")


def _made_at_once(calls: Sequence[Call]) -> list[Outcome]:
    """What the calls give; AnswerMissing for those that take much longer than others usually do.

    They hold up nobody: their threads go on, and the same is asked for again by its key.
    """
    beat()
    started = monotonic()
    futures = [_threads().submit(call) for call in calls]
    for future in futures:
        future.add_done_callback(lambda ended: _patience.note(ended, started))
    late = wait(futures, _patience.seconds).not_done
    beat()
    return [AnswerMissing("it takes long") if future in late else _outcome_of(future) for future in futures]


def _outcome_of(future: Future[Answer]) -> Outcome:
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
