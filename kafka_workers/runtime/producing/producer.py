"""Sending messages: every one acknowledged, or the caller is told which were not and why."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka import Producer as KafkaProducer

from kafka_workers.runtime.broker.client_config import DELIVERY_SECONDS, Connection, producer_config
from kafka_workers.runtime.broker.denial import unavailable
from kafka_workers.runtime.exceptions import BrokerUnavailable, PublishFailed, Refusal
from kafka_workers.runtime.messages.message import Outgoing

_REFUSED = {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE,
    KafkaError.INVALID_MSG,
    KafkaError.INVALID_MSG_SIZE,
    KafkaError.INVALID_RECORD,
    KafkaError.INVALID_TIMESTAMP,
    KafkaError.POLICY_VIOLATION,
}
_REPORT_SECONDS = DELIVERY_SECONDS + 1

Errors = dict[int, KafkaError]
Meanwhile = Callable[[], None]


def nothing() -> None:
    """Do nothing meanwhile."""


class Producer:
    """An idempotent producer (acks=all), made at the first use; one a process and thread."""

    def __init__(self, name: str, connection: Connection | None = None) -> None:
        self._name = name
        self._connection = connection or Connection()
        self._client: KafkaProducer | None = None

    def publish(self, messages: Iterable[Outgoing], meanwhile: Meanwhile = nothing) -> None:
        """Send messages and wait, at most some seconds, until the broker has acknowledged all of them.

        What is to be done `meanwhile` begins when all are on their way; its errors are raised too.
        Raises BrokerUnavailable where any was not confirmed in time: the caller waits and sends all again.
        Raises PublishFailed where the broker will never take some; it has the others then.
        """
        batch = list(messages)
        suspects = self._refused(batch, range(len(batch)), meanwhile)
        # The broker refuses whole record batches, innocent messages too: only alone is it clear.
        culprits = [index for index in suspects if self._refused(batch, [index])]
        if culprits:
            raise PublishFailed([_refusal(index, batch[index], suspects[index]) for index in culprits])

    def close(self) -> None:
        """Give up what is not acknowledged, and the connections."""
        if self._client is not None:
            abandon(self._client)
            self._client = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refused(
        self, batch: Sequence[Outgoing], indexes: Sequence[int], meanwhile: Meanwhile = nothing
    ) -> dict[int, KafkaError]:
        if not indexes:
            return {}
        errors, unconfirmed = self._send(batch, indexes, meanwhile)
        outage = next((index for index, error in errors.items() if error.code() not in _REFUSED), None)
        if outage is not None:
            self._renew_after(errors[outage])
            raise unavailable(errors[outage], "WRITE", batch[outage].topic)
        if unconfirmed:
            self.close()
            raise BrokerUnavailable(f"{unconfirmed} messages without a report within {_REPORT_SECONDS} s")
        self._connection.works()
        return errors

    def _send(
        self, batch: Sequence[Outgoing], indexes: Sequence[int], meanwhile: Meanwhile
    ) -> tuple[Errors, int]:
        """What is wrong with which message, and how many others have no delivery report yet."""
        client = self._client = self._client or KafkaProducer(producer_config(self._name, self._connection))
        errors: Errors = {}
        for index in indexes:
            produce(client, batch[index], partial(_note, errors, index))
        meanwhile()
        try:
            unconfirmed = flush(client, _REPORT_SECONDS)
        except KafkaException as exception:
            # Fatal: this client is of no more use, the next batch gets a new one.
            self.close()
            raise unavailable(exception.args[0], "WRITE", batch[indexes[0]].topic) from exception
        return errors, unconfirmed

    def _renew_after(self, error: KafkaError) -> None:
        if error.fatal() or error.code() == KafkaError._FATAL:  # noqa: SLF001
            self.close()


def produce(
    client: KafkaProducer, message: Outgoing, on_delivery: Callable[[KafkaError | None, Message | None], None]
) -> None:
    """Hand one message to a client; an error at once is reported like one later."""
    try:
        _enqueue(client, message, on_delivery)
    except KafkaException as error:
        on_delivery(error.args[0], None)


def flush(client: KafkaProducer, seconds: float) -> int:
    """Wait for all to be delivered or to fail, as long as that; how many have done neither.

    Raises KafkaException on a fatal error.
    """
    try:
        return client.flush(seconds)
    except SystemError as error:
        # So a fatal error arrives when a delivery report is served in the same breath.
        if isinstance(error.__cause__, KafkaException):
            raise error.__cause__ from None
        raise


def abandon(client: KafkaProducer) -> None:
    """Let go of a client and of whatever it has not sent."""
    client.purge()
    with suppress(KafkaException):
        flush(client, 1)


def _enqueue(
    client: KafkaProducer, message: Outgoing, on_delivery: Callable[[KafkaError | None, Message | None], None]
) -> None:
    while True:
        try:
            client.produce(
                message.topic,
                value=message.value,
                key=message.key,
                headers=dict(message.headers),
                on_delivery=on_delivery,
            )
        except BufferError:
            client.poll(0.1)
        else:
            return


def _note(errors: Errors, index: int, error: KafkaError | None, _: Message | None) -> None:
    if error is not None:
        errors[index] = error


def _refusal(index: int, message: Outgoing, error: KafkaError) -> Refusal:
    key = message.key if isinstance(message.key, str) else (message.key or b"").decode(errors="replace")
    return Refusal(index, message.topic, key, error.str())
