"""Redriving and discarding dead letters, each exactly once.

Every resolution is a record in `<group>.dlq.settled`. A redrive writes it in one Kafka transaction with the
message for the original topic. All resolvers of a group share one transactional id, so a new one fences its
predecessor, and the broker aborts or completes the predecessor's transaction; only then does the new one read
which dead letters are resolved. So each dead letter is resolved once, whatever is repeated, concurrent or
killed.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Literal, Self

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka import Producer as KafkaProducer

from foundation.kill_points import kill_point
from kafka_workers.runtime.broker.client_config import transaction_config
from kafka_workers.runtime.broker.errors import describe_missing_acl, exception_for, is_missing_acl
from kafka_workers.runtime.dead_letters.letters import DeadLetter, Resolution, read_resolutions
from kafka_workers.runtime.group_topics import dead_letter_topic, resolution_topic
from kafka_workers.runtime.messages.message import OutgoingMessage
from kafka_workers.runtime.producing.producer import abandon, flush, produce

TRANSACTION_SECONDS = 15
_FENCED = {
    KafkaError._FENCED,  # noqa: SLF001
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
}


def resolver_transactional_id(group: str) -> str:
    """The transactional id that all resolvers of a group share."""
    return f"{dead_letter_topic(group)}.settling"


class ResolverFenced(Exception):
    """A newer resolver of the same group has started; the unfinished transaction of this one is undone."""

    def __init__(self, group: str) -> None:
        super().__init__(f"another command resolves the dead letters of {group} now: this one stopped")
        self.group = group


class ResolutionRejected(Exception):
    """Kafka rejected a message of the transaction, so the whole transaction was undone."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"no dead letter of this transaction was resolved: {reasons[0]}")
        self.reasons = tuple(reasons)


class DeadLetterResolver:
    """Resolves the dead letters of one group; a context manager. Only the newest one of a group works.

    `by` names the person who decides. All methods raise BrokerUnavailable, ResolverFenced or
    ResolutionRejected. Then the resolver is of no further use, and the dead letters of the failed call stay
    unresolved.
    """

    def __init__(self, group: str, by: str) -> None:
        self._group = group
        self._by = by
        self._resolved: set[str] = set()
        self._client = KafkaProducer(transaction_config(resolver_transactional_id(group)))

    def __enter__(self) -> Self:
        try:
            self._client.init_transactions(TRANSACTION_SECONDS)
        except KafkaException as exception:
            raise self._exception_for(exception) from exception
        self._resolved = set(read_resolutions(self._group))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        abandon(self._client)

    def redrive(self, letters: Iterable[DeadLetter], reason: str = "") -> int:
        """Send dead letters back to their topics, in one transaction; how many were still unresolved.

        Raises CannotBeRedriven, with nothing sent.
        """
        unresolved = self._unresolved(letters)
        messages = [letter.redriven() for letter in unresolved]
        return self._resolve(unresolved, messages, self._resolution("redriven", reason))

    def discard(self, letters: Iterable[DeadLetter], reason: str) -> int:
        """Record that dead letters need no handling, in one transaction; how many were still unresolved."""
        return self._resolve(self._unresolved(letters), [], self._resolution("discarded", reason))

    def _unresolved(self, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
        unique = {letter.coordinates: letter for letter in letters if letter.group == self._group}
        return [letter for coordinates, letter in unique.items() if coordinates not in self._resolved]

    def _resolution(self, result: Literal["redriven", "discarded"], reason: str) -> bytes:
        return msgspec.json.encode(
            Resolution(result=result, at=datetime.now(UTC), by=self._by, reason=reason)
        )

    def _resolve(
        self, letters: Sequence[DeadLetter], messages: Sequence[OutgoingMessage], resolution: bytes
    ) -> int:
        keys = [letter.coordinates for letter in letters]
        records = [OutgoingMessage(resolution_topic(self._group), key, resolution, {}) for key in keys]
        if records:
            self._send_in_transaction([*messages, *records])
        self._resolved.update(keys)
        return len(keys)

    def _send_in_transaction(self, messages: Sequence[OutgoingMessage]) -> None:
        rejected: list[tuple[str, KafkaError]] = []
        try:
            self._client.begin_transaction()
            for message in messages:
                self._produce(message, rejected)
            flush(self._client, TRANSACTION_SECONDS)
            kill_point("before-resolution-committed")
            self._client.commit_transaction(TRANSACTION_SECONDS)
        except KafkaException as exception:
            # An open transaction would block the topics' readers until it times out.
            with suppress(KafkaException):
                self._client.abort_transaction(TRANSACTION_SECONDS)
            raise self._exception_for(exception, rejected) from exception

    def _produce(self, message: OutgoingMessage, rejected: list[tuple[str, KafkaError]]) -> None:
        try:
            produce(self._client, message, partial(_note, rejected, message.topic))
        except KafkaException as exception:
            rejected.append((message.topic, exception.args[0]))
            raise

    def _exception_for(
        self, exception: KafkaException, rejected: Sequence[tuple[str, KafkaError]] = ()
    ) -> Exception:
        error: KafkaError = exception.args[0]
        if error.code() in _FENCED:
            return ResolverFenced(self._group)
        if rejected:
            return ResolutionRejected([_reason(topic, each) for topic, each in rejected])
        return exception_for(error, "WRITE", resolver_transactional_id(self._group))


def _note(
    rejected: list[tuple[str, KafkaError]], topic: str, error: KafkaError | None, _: Message | None
) -> None:
    # Only this: more work in a delivery callback can swallow a fatal error that `flush` should raise.
    if error is not None:
        rejected.append((topic, error))


def _reason(topic: str, error: KafkaError) -> str:
    missing_acl = is_missing_acl(error)
    return f"{topic}: {describe_missing_acl(error, 'WRITE', topic) if missing_acl else error.str()}"
