"""Handling one batch: decode, handle, send the answers, and send failed messages to their next topic."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Generic, TypeVar

import structlog
from confluent_kafka import Message
from structlog.contextvars import bound_contextvars

from foundation.kill_points import kill_point
from foundation.metrics import CONSUMER_MESSAGES
from foundation.outage import DependencyUnavailable
from kafka_workers.runtime.consuming.definition import ConsumerDefinition, DecodedMessage
from kafka_workers.runtime.consuming.retry import KEPT_KEY_BYTES, Outcome, failed_copy, outcome_of
from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.messages.failure import Failure, is_for_another_group
from kafka_workers.runtime.messages.message import receive
from kafka_workers.runtime.messages.record import headers_of
from kafka_workers.runtime.producing.producer import Producer

T = TypeVar("T")

log = structlog.get_logger(__name__)


class BatchProcessor(Generic[T]):
    """Handles the batches of a group; offsets are not its concern."""

    def __init__(
        self, definition: ConsumerDefinition[T], producer: Producer, retry_delays: Sequence[float]
    ) -> None:
        self._definition = definition
        self._producer = producer
        self._retry_delays = retry_delays

    def process(self, messages: Sequence[Message]) -> list[Outcome]:
        """Handle a batch; on return all its answers, retries and dead letters are acknowledged by the broker.

        Returns the outcome of each message. Raises DependencyUnavailable (BrokerUnavailable is one): the
        whole batch must be processed again.
        """
        failures: dict[int, Failure] = {}
        self._handle(messages, self._decode(messages, failures), failures)
        self._producer.publish(
            failed_copy(messages[index], failure, self._retry_delays) for index, failure in failures.items()
        )
        outcomes = [outcome_of(failures.get(index), self._retry_delays) for index in range(len(messages))]
        for outcome, count in Counter(outcomes).items():
            CONSUMER_MESSAGES.labels(self._definition.group, outcome).inc(count)
        return outcomes

    def _decode(
        self, messages: Sequence[Message], failures: dict[int, Failure]
    ) -> dict[int, DecodedMessage[T]]:
        """The messages to handle, by their index in the batch; adds the undecodable ones to `failures`."""
        decoded: dict[int, DecodedMessage[T]] = {}
        for index, message in enumerate(messages):
            headers = headers_of(message)
            if is_for_another_group(headers, self._definition.group):
                continue
            try:
                received = receive(message, headers)
                decoded[index] = DecodedMessage(received, self._definition.decode(received))
            except Exception as error:
                failures[index] = self._failure(message, error)
        return decoded

    def _handle(
        self,
        messages: Sequence[Message],
        decoded: dict[int, DecodedMessage[T]],
        failures: dict[int, Failure],
    ) -> None:
        """Handle messages and deliver their answers; when that fails, halve them to find the one at fault."""
        if not decoded or (error := self._attempt(list(decoded.values()))) is None:
            return
        if len(decoded) == 1:
            [index] = decoded
            failures[index] = self._failure(messages[index], error)
            return
        log.warning("a batch failed: splitting it to find the message at fault", reason=str(error))
        for half in _halves(decoded):
            self._handle(messages, half, failures)

    def _attempt(self, decoded: Sequence[DecodedMessage[T]]) -> Exception | None:
        """Handle messages and deliver their answers; the error, if one of the messages is at fault."""
        context = decoded[0].received.log_context if len(decoded) == 1 else {"messages": len(decoded)}
        with bound_contextvars(**context):
            try:
                kill_point("before-handling")
                answers = self._definition.handle(decoded)
                kill_point("after-handling-before-answers")
                self._producer.publish(answers)
            except DependencyUnavailable:
                raise
            except Exception as error:
                return error
        return None

    def _failure(self, message: Message, error: Exception) -> Failure:
        failure = Failure.from_error(message, self._definition.group, error, datetime.now(UTC))
        log.warning(
            "message failed",
            topic=failure.topic,
            partition=failure.partition,
            offset=failure.offset,
            order=(message.key() or b"")[:KEPT_KEY_BYTES].decode(errors="replace"),
            attempt=failure.attempts,
            outcome=outcome_of(failure, self._retry_delays),
            reason=failure.reason,
            exc_info=None if isinstance(error, InvalidMessage) else error,
        )
        return failure


def _halves(decoded: dict[int, DecodedMessage[T]]) -> list[dict[int, DecodedMessage[T]]]:
    items = list(decoded.items())
    middle = len(items) // 2
    return [dict(items[:middle]), dict(items[middle:])]
