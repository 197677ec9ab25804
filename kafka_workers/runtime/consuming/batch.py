"""Handling one batch: decode, handle, send the answers, and send failed messages to their next topic."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Generic, NamedTuple, TypeVar

import structlog
from confluent_kafka import Message
from msgspec import Struct
from structlog.contextvars import bound_contextvars

from foundation.heartbeat import beat
from foundation.kill_points import kill_point
from foundation.metrics import CONSUMER_MESSAGES
from foundation.outage import DependencyUnavailable, NotNow
from kafka_workers.runtime.consuming.batch_report import report_failure, report_handled
from kafka_workers.runtime.consuming.batch_spans import BatchSpans
from kafka_workers.runtime.consuming.definition import (
    ConsumerDefinition,
    DecodedMessage,
    HandleEach,
    SomeFailed,
)
from kafka_workers.runtime.consuming.retry import (
    Outcome,
    failed_copy,
    outcome_of,
    truncated_copy,
    with_patience,
)
from kafka_workers.runtime.exceptions import InvalidMessage, PublishFailed
from kafka_workers.runtime.messages.failure import Failure, is_for_another_group
from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage, receive
from kafka_workers.runtime.messages.record import headers_of
from kafka_workers.runtime.producing.producer import Meanwhile, Producer, nothing

EXITS = (KeyboardInterrupt, SystemExit)
"""What ends the process. Anything else that a message raises is its own failure, extensions' panics too."""

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
        self._prepared: _Prepared[T] | None = None
        self._received: dict[int, ReceivedMessage] = {}
        self._spans = BatchSpans(definition.group)
        self.latest_reason = ""
        """Why the latest message failed that became a retry or a dead letter."""

    def prepare(self, messages: Sequence[Message]) -> None:
        """Handle a batch and keep its answers for `process`.

        Nothing is kept where a message fails or a dependency is away: then `process` handles the whole batch
        again, and finds out the same. Where messages are handled one by one, nothing is done ahead.
        """
        if self._definition.handle_each:
            return
        failed: dict[int, _Failed] = {}
        decoded = self._decode(messages, failed)
        if failed or not decoded:
            return
        try:
            answers = self._answers(list(decoded.values()))
        except EXITS:
            raise
        except BaseException:
            return
        self._prepared = _Prepared(messages, decoded, answers)

    def process(
        self,
        messages: Sequence[Message],
        admit: Callable[[Sequence[Outcome]], int],
        meanwhile: Meanwhile = nothing,
    ) -> list[Outcome]:
        """Handle a batch; on return all its answers, retries and dead letters are acknowledged by the broker.

        `meanwhile` is called while the answers are on their way, if no message has failed until then.
        `admit` takes the outcome of each message and says how many of them, from the first on, are finished;
        the others must come again, and no retry or dead letter is made of them. Returns the outcomes of the
        finished ones; where messages are handled one by one, these may also be fewer because the time budget
        is used up or a dependency is away. Raises DependencyUnavailable (BrokerUnavailable is one): the whole
        batch must be processed again.
        """
        failed: dict[int, _Failed] = {}
        began, self._received = time.monotonic(), {}
        if self._definition.handle_each:
            handled = self._handle_each(self._definition.handle_each, messages, failed, admit)
            self._definition.finish()
        else:
            handled = self._handle_together(messages, failed, meanwhile)
        outcomes = self._outcomes(handled, failed)
        finished = outcomes[: admit(outcomes)]
        failures = [(messages[index], failed[index]) for index in sorted(failed) if index < len(finished)]
        self._publish_copies([(message, found.failure) for message, found in failures])
        self._report(failures)
        handled_now = [
            each for index, each in self._received.items() if index < len(finished) and index not in failed
        ]
        report_handled(handled_now, time.monotonic() - began)
        self._spans.end_all(messages[: len(finished)], {i: each.failure for i, each in failed.items()})
        for outcome, count in Counter(finished).items():
            CONSUMER_MESSAGES.labels(self._definition.group, outcome).inc(count)
        return finished

    def _publish_copies(self, failed: Sequence[tuple[Message, Failure]]) -> None:
        """Send each failed message on; one that the broker rejects, with its beginning alone."""
        try:
            self._producer.publish(failed_copy(*each, self._retry_delays) for each in failed)
        except PublishFailed as error:
            rejected = [failed[each.index] for each in error.rejected]
            self._producer.publish(truncated_copy(*each) for each in rejected)

    def _decode(
        self, messages: Sequence[Message], failed: "dict[int, _Failed]", first: int = 0
    ) -> dict[int, DecodedMessage[T]]:
        """The messages to handle, by their index in the batch; adds the undecodable ones to `failed`.

        `first` is the index of the first of these messages.
        """
        decoded: dict[int, DecodedMessage[T]] = {}
        for index, message in enumerate(messages, first):
            headers = headers_of(message)
            if is_for_another_group(headers, self._definition.group):
                continue
            try:
                received = receive(message, headers, self._definition.group, self._definition.topics)
                received = self._spans.begin(message, received)
                decoded[index] = DecodedMessage(received, self._definition.decode(received))
            except EXITS:
                raise
            except BaseException as error:
                failed[index] = self._failed(message, error)
        return decoded

    def _outcomes(self, handled: int, failed: "dict[int, _Failed]") -> list[Outcome]:
        """The outcomes of the first `handled` messages."""
        outcomes = [Outcome.HANDLED] * handled
        for index, each in failed.items():
            if index < handled:
                outcomes[index] = outcome_of(each.failure, self._retry_delays)
        return outcomes

    def _handle_each(
        self,
        handle: HandleEach[T],
        messages: Sequence[Message],
        failed: "dict[int, _Failed]",
        admit: Callable[[Sequence[Outcome]], int],
    ) -> int:
        """Handle messages one after the other; returns how many, from the first on, were handled.

        Raises DependencyUnavailable where that is none.
        """
        end = time.monotonic() + self._definition.time_budget
        self._spans.forget()
        decoded = self._decode(messages[:1], failed)
        for index, message in enumerate(messages):
            if index and (time.monotonic() > end or not self._admits_another(index, failed, admit)):
                return index
            # As late as possible: a batch may be long, and most of it left for the next one.
            decoded |= self._decode(messages[index + 1 : index + 2], failed, index + 1)
            if (work := decoded.pop(index, None)) is None:
                continue
            self._received[index] = work.received
            try:
                with self._spans.handling_one(message):
                    self._handle_one(handle, work, decoded.get(index + 1))
            except EXITS:
                raise
            except DependencyUnavailable:
                if not index:
                    raise
                return index
            except BaseException as error:
                failed[index] = self._failed(message, error)
        return len(messages)

    def _admits_another(
        self, handled: int, failed: "dict[int, _Failed]", admit: Callable[[Sequence[Outcome]], int]
    ) -> bool:
        """Whether one more message would be finished; only a dead letter can be the reason that it is not."""
        if handled - 1 not in failed:
            return True
        return admit([*self._outcomes(handled, failed), Outcome.HANDLED]) > handled

    def _handle_one(
        self, handle: HandleEach[T], decoded: DecodedMessage[T], upcoming: DecodedMessage[T] | None
    ) -> None:
        beat()
        with bound_contextvars(**decoded.received.log_context):
            kill_point("before-handling")
            handle(decoded, upcoming)

    def _handle_together(
        self, messages: Sequence[Message], failed: "dict[int, _Failed]", meanwhile: Meanwhile
    ) -> int:
        """Handle all messages as one batch, unless `prepare` has; returns how many they are."""
        prepared, self._prepared = self._prepared, None
        if prepared is None or prepared.messages != messages:
            self._spans.forget()
            prepared = _Prepared(messages, self._decode(messages, failed), None)
        self._received = {index: each.received for index, each in prepared.decoded.items()}
        self._handle(prepared, failed, nothing if failed else meanwhile)
        return len(messages)

    def _handle(
        self, batch: "_Prepared[T]", failed: "dict[int, _Failed]", meanwhile: Meanwhile = nothing
    ) -> None:
        """Handle messages and deliver their answers; when that fails, halve them to find the one at fault."""
        if not batch.decoded or (error := self._attempt(batch, failed, meanwhile)) is None:
            return
        if len(batch.decoded) == 1:
            [index] = batch.decoded
            failed[index] = self._failed(batch.messages[index], error)
            return
        log.warning("a batch failed: splitting it to find the message at fault", reason=str(error))
        items, middle = list(batch.decoded.items()), len(batch.decoded) // 2
        for half in (items[:middle], items[middle:]):
            self._handle(_Prepared(batch.messages, dict(half), None), failed)

    def _attempt(
        self, batch: "_Prepared[T]", failed: "dict[int, _Failed]", meanwhile: Meanwhile
    ) -> BaseException | None:
        """Handle messages and deliver their answers; the error, if an unknown one of them is at fault."""
        try:
            answers = batch.answers
            if answers is None:
                answers = self._answers_of_others(batch, failed)
            kill_point("after-handling-before-answers")
            self._producer.publish(answers, meanwhile)
        except (DependencyUnavailable, *EXITS):
            raise
        except BaseException as error:
            return error
        return None

    def _answers_of_others(
        self, batch: "_Prepared[T]", failed: "dict[int, _Failed]"
    ) -> list[OutgoingMessage]:
        """Handle messages; the answers, without those of the messages that `handle` adds to `failed`."""
        try:
            return self._answers(list(batch.decoded.values()))
        except SomeFailed as error:
            indexes = list(batch.decoded)
            for position, each in error.failures.items():
                index = indexes[position]
                failed[index] = self._failed(batch.messages[index], each)
            return error.answers

    def _answers(self, decoded: Sequence[DecodedMessage[T]]) -> list[OutgoingMessage]:
        beat()
        context = decoded[0].received.log_context if len(decoded) == 1 else {"messages": len(decoded)}
        with bound_contextvars(**context), self._spans.handling(decoded):
            kill_point("before-handling")
            assert self._definition.handle, "messages are handled one by one"
            return list(self._definition.handle(decoded))

    def _failed(self, message: Message, error: BaseException) -> "_Failed":
        group, topics = self._definition.group, self._definition.topics
        failure = Failure.from_error(message, group, topics, error, datetime.now(UTC))
        if isinstance(error, NotNow):
            failure = with_patience(failure, error.patience, self._retry_delays)
        return _Failed(failure, None if isinstance(error, InvalidMessage | NotNow) else error)

    def _report(self, failures: "Sequence[tuple[Message, _Failed]]") -> None:
        for message, failed in failures:
            self.latest_reason = failed.failure.reason
            outcome = outcome_of(failed.failure, self._retry_delays)
            report_failure(message.key() or b"", failed.failure, outcome, failed.error)


class _Prepared(Struct, Generic[T], frozen=True, eq=False):
    """Messages with their decoded values by index; with their answers if they are handled already."""

    messages: Sequence[Message]
    decoded: dict[int, DecodedMessage[T]]
    answers: list[OutgoingMessage] | None


class _Failed(NamedTuple):
    """The failure of one message, and its error where that is a fault of the code, worth a traceback."""

    failure: Failure
    error: BaseException | None
