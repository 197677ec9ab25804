"""Sending messages: all are acknowledged, or an exception names those that are not and why."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka import Producer as KafkaProducer

from kafka_workers.runtime.broker.client_config import DELIVERY_SECONDS, BrokerReachability, producer_config
from kafka_workers.runtime.broker.errors import exception_for
from kafka_workers.runtime.exceptions import BrokerUnavailable, PublishFailed, RejectedMessage
from kafka_workers.runtime.messages.message import OutgoingMessage
from kafka_workers.runtime.producing.producer_ids import await_producer_ids
from kafka_workers.runtime.producing.sent_spans import sent_spans

_REJECTED = {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE,
    KafkaError.INVALID_MSG,
    KafkaError.INVALID_MSG_SIZE,
    KafkaError.INVALID_RECORD,
    KafkaError.INVALID_TIMESTAMP,
    KafkaError.POLICY_VIOLATION,
}
_REPORT_SECONDS = DELIVERY_SECONDS + 1
CONNECT_SECONDS = 1
"""How long a new client waits for a broker before it goes on without one."""

Identity = tuple[str | None, bytes | None, bytes | None]
"""Topic, key and value of a message: so much of it does a delivery report repeat."""
Errors = dict[Identity, KafkaError]
Meanwhile = Callable[[], None]
OnDelivery = Callable[[KafkaError | None, Message | None], None]


def nothing() -> None:
    """Do nothing."""


class Producer:
    """An idempotent producer (acks=all); connects by `connect` or at the first use. One for each thread."""

    def __init__(self, name: str, reachability: BrokerReachability | None = None) -> None:
        self._name = name
        self._reachability = reachability or BrokerReachability()
        self._client: KafkaProducer | None = None

    def connect(self) -> None:
        """Connect now, so that the first message need not wait. Raises BrokerUnavailable."""
        await_producer_ids(producer_config(self._name, self._reachability))
        self._connected_client()

    def publish(self, messages: Iterable[OutgoingMessage], meanwhile: Meanwhile = nothing) -> None:
        """Send messages and wait, at most some seconds, until the broker has acknowledged all of them.

        `meanwhile` is called once all are on their way; its exceptions are raised too.
        Raises BrokerUnavailable when any message was not confirmed in time: the caller sends all again later.
        Raises PublishFailed when the broker rejects some for good; the others are stored then.
        """
        with sent_spans(list(messages)) as batch:
            self._publish(batch, meanwhile)

    def _publish(self, batch: Sequence[OutgoingMessage], meanwhile: Meanwhile) -> None:
        errors = self._rejected(batch, meanwhile)
        # The broker rejects a whole record batch for one message in it, so each is tried alone.
        at_fault = [
            _rejected_message(index, message, error)
            for index, message in enumerate(batch if errors else ())
            if (error := errors.get(_identity(message))) and self._rejected([message])
        ]
        if at_fault:
            raise PublishFailed(at_fault)

    def await_reports(self) -> None:
        """Wait, at most some seconds, until each message is acknowledged or has failed.

        Raises nothing: the `publish` that sent them tells of failures.
        """
        if self._client is not None:
            with suppress(KafkaException):
                flush(self._client, _REPORT_SECONDS)

    def close(self) -> None:
        """Abandon messages that are not acknowledged, and close the connections."""
        if self._client is not None:
            abandon(self._client)
            self._client = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rejected(self, batch: Sequence[OutgoingMessage], meanwhile: Meanwhile = nothing) -> Errors:
        """The errors of the messages that the broker rejects. Raises BrokerUnavailable."""
        if not batch:
            return {}
        errors, unconfirmed = self._send(batch, meanwhile)
        for (topic, _, _), error in errors.items():
            if error.code() not in _REJECTED:
                self._close_after_fatal(error)
                raise exception_for(error, "WRITE", str(topic))
        if unconfirmed:
            self.close()
            raise BrokerUnavailable(f"{unconfirmed} messages without a report within {_REPORT_SECONDS} s")
        self._reachability.report_answer()
        return errors

    def _send(self, batch: Sequence[OutgoingMessage], meanwhile: Meanwhile) -> tuple[Errors, int]:
        """The errors of failed messages, and how many others have no delivery report yet."""
        client = self._connected_client()
        failures: list[tuple[KafkaError, OutgoingMessage | Message]] = []

        def note(error: KafkaError | None, message: Message | None) -> None:
            # Only this: more work in a delivery callback can swallow a fatal error that `flush` should raise.
            if error is not None and message is not None:
                failures.append((error, message))

        for message in batch:
            try:
                produce(client, message, note)
            except KafkaException as exception:
                failures.append((exception.args[0], message))
        meanwhile()
        try:
            unconfirmed = flush(client, _REPORT_SECONDS)
        except KafkaException as exception:
            # After a fatal error the client is unusable; the next batch gets a new one.
            self.close()
            raise exception_for(exception.args[0], "WRITE", batch[0].topic) from exception
        return {_identity(message): error for error, message in failures}, unconfirmed

    def _connected_client(self) -> KafkaProducer:
        if self._client is None:
            self._client = KafkaProducer(producer_config(self._name, self._reachability))
            # A client that nobody asks anything asks for its producer id half a second after its creation.
            with suppress(KafkaException):
                self._client.list_topics(timeout=CONNECT_SECONDS)
        return self._client

    def _close_after_fatal(self, error: KafkaError) -> None:
        if error.fatal() or error.code() == KafkaError._FATAL:  # noqa: SLF001
            self.close()


def produce(client: KafkaProducer, message: OutgoingMessage, on_delivery: OnDelivery) -> None:
    """Give one message to a client; `on_delivery` gets its later error. Raises KafkaException."""
    while True:
        try:
            # By position (partition, two names of one callback, time): names would cost a quarter more.
            client.produce(
                message.topic, message.value, message.key, -1, on_delivery, on_delivery, 0, message.headers
            )
        except BufferError:
            client.poll(0.1)
        else:
            return


def flush(client: KafkaProducer, seconds: float) -> int:
    """Wait at most so long for all messages to be delivered or to fail; how many have done neither.

    Raises KafkaException on a fatal error.
    """
    try:
        return client.flush(seconds)
    except SystemError as error:
        # The client raises a fatal error like this when a delivery report arrives at the same time.
        if isinstance(error.__cause__, KafkaException):
            raise error.__cause__ from None
        raise


def abandon(client: KafkaProducer) -> None:
    """Drop a client's unsent messages, so that it can be closed."""
    client.purge()
    with suppress(KafkaException):
        flush(client, 1)


def _identity(message: OutgoingMessage | Message) -> Identity:
    if isinstance(message, Message):
        return message.topic(), message.key(), message.value()
    key = message.key.encode() if isinstance(message.key, str) else message.key
    return message.topic, key, message.value


def _rejected_message(index: int, message: OutgoingMessage, error: KafkaError) -> RejectedMessage:
    key = message.key if isinstance(message.key, str) else (message.key or b"").decode(errors="replace")
    return RejectedMessage(index, message.topic, key, error.str())
