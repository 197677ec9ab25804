"""What is done with one batch: read, handle, answer, and set aside what fails."""

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
from kafka_workers.runtime.consuming.definition import ConsumerDefinition, Work
from kafka_workers.runtime.consuming.retry import KEPT_KEY_BYTES, Outcome, outcome_of, set_aside
from kafka_workers.runtime.exceptions import InvalidMessage
from kafka_workers.runtime.messages.failure import Failure, is_for_another_group
from kafka_workers.runtime.messages.headers import headers_of
from kafka_workers.runtime.messages.message import receive
from kafka_workers.runtime.producing.producer import Producer

T = TypeVar("T")

log = structlog.get_logger(__name__)


class BatchProcessor(Generic[T]):
    """Does the work of a group's batches, and knows nothing of offsets."""

    def __init__(
        self, definition: ConsumerDefinition[T], producer: Producer, retry_delays: Sequence[float]
    ) -> None:
        self._definition = definition
        self._producer = producer
        self._retry_delays = retry_delays

    def process(self, messages: Sequence[Message]) -> list[Outcome]:
        """Handle a batch; on return all its answers, retries and dead letters are acknowledged by the broker.

        Says of each message what became of it. Raises DependencyUnavailable (BrokerUnavailable is one): the
        same batch must come again, whole.
        """
        failures: dict[int, Failure] = {}
        self._handle(messages, self._read(messages, failures), failures)
        self._producer.publish(
            set_aside(messages[index], failure, self._retry_delays) for index, failure in failures.items()
        )
        outcomes = [outcome_of(failures.get(index), self._retry_delays) for index in range(len(messages))]
        for outcome, count in Counter(outcomes).items():
            CONSUMER_MESSAGES.labels(self._definition.group, outcome).inc(count)
        return outcomes

    def _read(self, messages: Sequence[Message], failures: dict[int, Failure]) -> dict[int, Work[T]]:
        """The messages to handle, by their place in the batch; those that cannot be read are failures."""
        works: dict[int, Work[T]] = {}
        for index, message in enumerate(messages):
            headers = headers_of(message)
            if is_for_another_group(headers, self._definition.group):
                continue
            try:
                received = receive(message, headers)
                works[index] = Work(received, self._definition.decode(received))
            except Exception as error:
                failures[index] = self._failure(message, error)
        return works

    def _handle(
        self, messages: Sequence[Message], works: dict[int, Work[T]], failures: dict[int, Failure]
    ) -> None:
        """Handle messages and deliver their answers; of those that fail together, find the one at fault."""
        if not works or (error := self._attempt(list(works.values()))) is None:
            return
        if len(works) == 1:
            [index] = works
            failures[index] = self._failure(messages[index], error)
            return
        log.warning("a batch failed: splitting it to find the message at fault", reason=str(error))
        for half in _halves(works):
            self._handle(messages, half, failures)

    def _attempt(self, works: Sequence[Work[T]]) -> Exception | None:
        """Handle some messages and deliver their answers; what is wrong with one of them, if anything is."""
        context = works[0].received.log_context if len(works) == 1 else {"messages": len(works)}
        with bound_contextvars(**context):
            try:
                kill_point("before-handling")
                answers = self._definition.handle(works)
                kill_point("after-handling-before-answers")
                self._producer.publish(answers)
            except DependencyUnavailable:
                raise
            except Exception as error:
                return error
        return None

    def _failure(self, message: Message, error: Exception) -> Failure:
        failure = Failure.of(message, self._definition.group, error, datetime.now(UTC))
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


def _halves(works: dict[int, Work[T]]) -> list[dict[int, Work[T]]]:
    items = list(works.items())
    middle = len(items) // 2
    return [dict(items[:middle]), dict(items[middle:])]
