"""One builder for the configuration of every Kafka client."""

import logging
import os
import socket
from typing import Any

import structlog
from confluent_kafka import KafkaError
from django.conf import settings

from kafka_workers.runtime.broker.denial import locked_out

Config = dict[str, Any]

MESSAGE_BYTES = 1_048_576
"""Largest message of a business topic."""
SET_ASIDE_BYTES = MESSAGE_BYTES + 65_536
"""Largest message of a retry or dead-letter topic: the failure's headers come on top."""
DELIVERY_SECONDS = 5
"""How long the broker has to acknowledge a message before it counts as unavailable."""

_SECURITY = {
    "sasl.mechanism": "KAFKA_SASL_MECHANISM",
    "sasl.username": "KAFKA_SASL_USERNAME",
    "sasl.password": "KAFKA_SASL_PASSWORD",
    "ssl.ca.location": "KAFKA_SSL_CA",
    "ssl.certificate.location": "KAFKA_SSL_CERTIFICATE",
    "ssl.key.location": "KAFKA_SSL_KEY",
}
_OUT_OF_REACH = {KafkaError._ALL_BROKERS_DOWN, KafkaError._AUTHENTICATION, KafkaError._SSL}  # noqa: SLF001

log = structlog.get_logger(__name__)
client_log = logging.getLogger("librdkafka")
# A client tells of every failed attempt to connect, many a second; Connection says it once.
client_log.addFilter(lambda record: not record.getMessage().startswith(("FAIL", "SSL")))


class Connection:
    """Says once that Kafka is out of reach, for each kind of error, and once that it is back.

    One for all clients of a worker.
    """

    def __init__(self) -> None:
        self._errors: set[int] = set()

    @property
    def is_lost(self) -> bool:
        return bool(self._errors)

    def failed(self, error: KafkaError) -> None:
        """Takes what a client reports; a single broker that is down is no loss yet."""
        if error.code() in _OUT_OF_REACH - self._errors:
            # That all brokers are down follows from whatever else is wrong, and explains nothing.
            if error.code() != KafkaError._ALL_BROKERS_DOWN or not self._errors:  # noqa: SLF001
                log.warning("Kafka is out of reach: waiting", error=locked_out(error))
            self._errors.add(error.code())

    def works(self) -> None:
        """Takes note of any answer of a broker."""
        if self.is_lost:
            self._errors.clear()
            log.info("Kafka is back")


def client_config(name: str, connection: Connection | None = None) -> Config:
    """What every client needs to reach the brokers; `name` is what the brokers' logs call it."""
    security = {key: getattr(settings, name) for key, name in _SECURITY.items() if getattr(settings, name)}
    return {
        "bootstrap.servers": settings.KAFKA_BROKERS,
        "security.protocol": settings.KAFKA_SECURITY_PROTOCOL,
        **security,
        "client.id": f"{name}@{socket.gethostname()}:{os.getpid()}",
        "logger": client_log,
        "error_cb": (connection or Connection()).failed,
        "log.connection.close": False,
        "socket.nagle.disable": True,
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 1000,
        "topic.metadata.refresh.interval.ms": 5000,
    }


def producer_config(name: str, connection: Connection | None = None) -> Config:
    """An idempotent producer that tells of failures only, and at a flush how much is not delivered yet.

    Keys go to the partitions that Java clients choose for them.
    """
    return client_config(name, connection) | {
        "enable.idempotence": True,
        "acks": "all",
        # A flush ends it; a batch that takes longer to make is on its way before it is whole.
        "linger.ms": 5,
        "delivery.timeout.ms": DELIVERY_SECONDS * 1000,
        "retry.backoff.ms": 20,
        "partitioner": "murmur2_random",
        "message.max.bytes": SET_ASIDE_BYTES,
        # A callback for each success costs as much as the rest of the sending.
        "delivery.report.only.error": True,
    }


def transaction_config(transactional_id: str) -> Config:
    """A producer for transactions; the newest one with this id shuts out all earlier ones."""
    return producer_config(transactional_id) | {
        "transactional.id": transactional_id,
        "transaction.timeout.ms": 10_000,
    }


def consumer_config(group: str, connection: Connection) -> Config:
    """A member of a group that commits by hand and is told of a message as soon as it is there."""
    return client_config(group, connection) | {
        "group.id": group,
        "group.protocol": "consumer",
        # The default assignor looks at no topic: one member may get all partitions of the busy one. This one
        # shares out each topic, and a key's partitions of several topics go to one member.
        "group.remote.assignor": "range",
        "max.poll.interval.ms": 120_000,
        **_READING,
    }


def reader_config(name: str) -> Config:
    """A reader of partitions assigned by hand: it joins no group and commits nothing."""
    return client_config(name) | {"group.id": name, **_READING}


_READING: Config = {
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "isolation.level": "read_committed",
    "allow.auto.create.topics": False,
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 100,
    "fetch.error.backoff.ms": 100,
    "fetch.queue.backoff.ms": 10,
    "queued.max.messages.kbytes": 16_384,
}
