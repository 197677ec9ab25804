"""Redriving and discarding dead letters, each exactly once.

Every decision is a record in `<group>.dlq.settled`, written in one Kafka transaction with the message that
goes back. All who decide for a group share one transactional id: whoever opens the desk shuts out the one
before, whose unfinished transaction is undone or completed first, and only then reads what is settled. So a
dead letter is settled once, however often, however concurrently and however abruptly it is tried.
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
from kafka_workers.runtime.broker.denial import denial, is_denial, unavailable
from kafka_workers.runtime.dead_letters.letters import DeadLetter, Settlement, read_settlements
from kafka_workers.runtime.group_topics import dead_letter_topic, settled_topic
from kafka_workers.runtime.messages.message import Outgoing
from kafka_workers.runtime.producing.producer import abandon, flush, produce

TRANSACTION_SECONDS = 15
_TAKEN_OVER = {
    KafkaError._FENCED,  # noqa: SLF001
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
}


def settling_id(group: str) -> str:
    """The transactional id of all who settle a group's dead letters."""
    return f"{dead_letter_topic(group)}.settling"


class DeskTakenOver(Exception):
    """Somebody else has begun to settle dead letters of the same group; what we began is undone."""

    def __init__(self, group: str) -> None:
        super().__init__(f"another command settles the dead letters of {group} now: this one stopped")
        self.group = group


class SettlingRefused(Exception):
    """Kafka took some message of the transaction not, so the whole of it was undone."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"nothing of this transaction was settled: {reasons[0]}")
        self.reasons = tuple(reasons)


class SettlingDesk:
    """Where the dead letters of one group are settled; a context manager, for one person at a time.

    `by` names who decides. All methods raise BrokerUnavailable, DeskTakenOver or SettlingRefused; then the
    desk is closed, and whatever it had not reported as settled is as open as before.
    """

    def __init__(self, group: str, by: str) -> None:
        self._group = group
        self._by = by
        self._settled: set[str] = set()
        self._client = KafkaProducer(transaction_config(settling_id(group)))

    def __enter__(self) -> Self:
        try:
            self._client.init_transactions(TRANSACTION_SECONDS)
        except KafkaException as exception:
            raise self._meaning(exception) from exception
        self._settled = set(read_settlements(self._group))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        abandon(self._client)

    def redrive(self, letters: Iterable[DeadLetter], reason: str = "") -> int:
        """Send dead letters back to where they came from, in one transaction; how many were still open.

        Raises OriginUnknown, with nothing sent.
        """
        still_open = self._still_open(letters)
        messages = [letter.redriven() for letter in still_open]
        return self._settle(still_open, messages, self._settlement("redriven", reason))

    def discard(self, letters: Iterable[DeadLetter], reason: str) -> int:
        """Let dead letters be, in one transaction; how many were still open."""
        return self._settle(self._still_open(letters), [], self._settlement("discarded", reason))

    def _still_open(self, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
        unique = {letter.place: letter for letter in letters if letter.group == self._group}
        return [letter for place, letter in unique.items() if place not in self._settled]

    def _settlement(self, result: Literal["redriven", "discarded"], reason: str) -> bytes:
        return msgspec.json.encode(
            Settlement(result=result, at=datetime.now(UTC), by=self._by, reason=reason)
        )

    def _settle(self, letters: Sequence[DeadLetter], messages: Sequence[Outgoing], settlement: bytes) -> int:
        places = [letter.place for letter in letters]
        records = [Outgoing(settled_topic(self._group), place, settlement, {}) for place in places]
        if places:
            self._send_together([*messages, *records])
        self._settled.update(places)
        return len(places)

    def _send_together(self, messages: Sequence[Outgoing]) -> None:
        refused: list[tuple[str, KafkaError]] = []
        try:
            self._client.begin_transaction()
            for message in messages:
                produce(self._client, message, partial(_note, refused, message.topic))
            flush(self._client, TRANSACTION_SECONDS)
            kill_point("before-settling-committed")
            self._client.commit_transaction(TRANSACTION_SECONDS)
        except KafkaException as exception:
            # Left open, the transaction would hold up the topics' readers until it times out.
            with suppress(KafkaException):
                self._client.abort_transaction(TRANSACTION_SECONDS)
            raise self._meaning(exception, refused) from exception

    def _meaning(
        self, exception: KafkaException, refused: Sequence[tuple[str, KafkaError]] = ()
    ) -> Exception:
        error: KafkaError = exception.args[0]
        if error.code() in _TAKEN_OVER:
            return DeskTakenOver(self._group)
        if refused:
            return SettlingRefused([_reason(topic, each) for topic, each in refused])
        return unavailable(error, "WRITE", settling_id(self._group))


def _note(
    refused: list[tuple[str, KafkaError]], topic: str, error: KafkaError | None, _: Message | None
) -> None:
    # No more than this: a fatal error on its way to `flush` may get lost in whatever else is done here.
    if error is not None:
        refused.append((topic, error))


def _reason(topic: str, error: KafkaError) -> str:
    return f"{topic}: {denial(error, 'WRITE', topic) if is_denial(error) else error.str()}"
