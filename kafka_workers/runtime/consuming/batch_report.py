"""Log lines about the messages of a batch: those that were handled, and each that failed."""

from collections.abc import Sequence

import structlog

from foundation.batch_lines import log_batch
from kafka_workers.runtime.consuming.retry import KEPT_KEY_BYTES, Outcome
from kafka_workers.runtime.messages.failure import Failure
from kafka_workers.runtime.messages.message import ReceivedMessage

log = structlog.get_logger(__name__)


def report_handled(handled: Sequence[ReceivedMessage], seconds: float) -> None:
    """Log that these messages were handled together, in so much time."""
    ms = round(seconds * 1000, 1)
    if len(handled) == 1:
        log.info("message handled", ms=ms, **handled[0].log_context)
        return
    listed = {
        "topic": [each.topic for each in handled],
        "order": [each.key for each in handled],
        "trace_parent": [each.trace_parent for each in handled],
    }
    log_batch(log, "messages handled", listed, ms=ms)


def report_failure(key: bytes, failure: Failure, outcome: Outcome, error: BaseException | None) -> None:
    """Log why a message failed and what becomes of it; an error of the code is told with its traceback."""
    log.warning(
        "message failed",
        topic=failure.topic,
        partition=failure.partition,
        offset=failure.offset,
        order=key[:KEPT_KEY_BYTES].decode(errors="replace"),
        attempt=failure.attempts,
        outcome=outcome,
        reason=failure.reason,
        exc_info=error,
    )
