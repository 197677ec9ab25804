"""The configuration of every Kafka client, built in one place."""

import logging
import os
import socket
from typing import Any

import structlog
from confluent_kafka import KafkaError
from django.conf import settings

from foundation.lasting_trouble import LastingTrouble
from foundation.work_report import tell_answer, tell_wait
from kafka_workers.runtime.broker.errors import describe_connection_error

Config = dict[str, Any]

MESSAGE_BYTES = 1_048_576
"""Largest message of a business topic."""
FAILED_MESSAGE_BYTES = MESSAGE_BYTES + 65_536
"""Largest message of a retry or dead-letter topic: it carries the failure's headers as well."""
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
_REPEATED = ("FAIL", "SSL", "REQTMOUT", "GETPID")
_CONNECTION_ERRORS = {KafkaError._ALL_BROKERS_DOWN, KafkaError._AUTHENTICATION, KafkaError._SSL}  # noqa: SLF001

log = structlog.get_logger(__name__)
client_log = logging.getLogger("librdkafka")
# A client logs each failed attempt to connect and each request without an answer, many a second;
# BrokerReachability logs them once, and metrics count them.
client_log.addFilter(lambda record: not record.getMessage().startswith(_REPEATED))


class BrokerReachability:
    """Logs once, for each kind of error, that Kafka is unreachable, and once that it is back.

    All clients of a worker share one.
    """

    def __init__(self) -> None:
        self._errors: set[int] = set()
        self._trouble = LastingTrouble(log, begins="Kafka is unreachable: waiting", ends="Kafka is back")

    @property
    def is_lost(self) -> bool:
        return bool(self._errors)

    def report_error(self, error: KafkaError) -> None:
        """Record an error of a client; errors of a single broker of several do not count."""
        self.log_error(error)
        if self.is_lost:
            tell_wait("Kafka")

    def log_error(self, error: KafkaError) -> None:
        """Log an error of a client, once for each kind.

        For a client whose answers are not reported: it could not tell that a wait has ended.
        """
        if error.code() not in _CONNECTION_ERRORS:
            return
        # "All brokers down" follows from every other error and explains none.
        explains = error.code() != KafkaError._ALL_BROKERS_DOWN or not self._errors  # noqa: SLF001
        is_new = explains and error.code() not in self._errors
        self._trouble.meet(is_new=is_new, error=describe_connection_error(error))
        self._errors.add(error.code())

    def report_answer(self) -> None:
        """Record that a broker has answered."""
        if self.is_lost:
            self._errors.clear()
            tell_answer("Kafka")
            self._trouble.end()


def client_config(name: str, reachability: BrokerReachability | None = None) -> Config:
    """The settings that every client needs; `name` is the client's name in the brokers' logs."""
    security = {key: getattr(settings, name) for key, name in _SECURITY.items() if getattr(settings, name)}
    return {
        "bootstrap.servers": settings.KAFKA_BROKERS,
        "security.protocol": settings.KAFKA_SECURITY_PROTOCOL,
        **security,
        "client.id": f"{name}@{socket.gethostname()}:{os.getpid()}",
        "logger": client_log,
        "error_cb": reachability.report_error if reachability else BrokerReachability().log_error,
        "log.connection.close": False,
        "socket.nagle.disable": True,
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 1000,
        "topic.metadata.refresh.interval.ms": 5000,
    }


def producer_config(name: str, reachability: BrokerReachability | None = None) -> Config:
    """An idempotent producer that reports failed messages only; a flush returns how many are unconfirmed.

    A key goes to the partition that Java clients choose for it.
    """
    return client_config(name, reachability) | {
        "enable.idempotence": True,
        "acks": "all",
        # A flush ends the wait; the start of a batch that takes longer to build is sent before its end.
        "linger.ms": 5,
        "delivery.timeout.ms": DELIVERY_SECONDS * 1000,
        "retry.backoff.ms": 20,
        "partitioner": "murmur2_random",
        "message.max.bytes": FAILED_MESSAGE_BYTES,
        # A callback for each success would double the cost of sending.
        "delivery.report.only.error": True,
    }


def transaction_config(transactional_id: str) -> Config:
    """A producer for transactions; the newest one with this id fences all earlier ones."""
    return producer_config(transactional_id) | {
        "transactional.id": transactional_id,
        "transaction.timeout.ms": 10_000,
    }


def consumer_config(group: str, reachability: BrokerReachability) -> Config:
    """A member of a group that commits explicitly and receives a message as soon as it is stored."""
    return client_config(group, reachability) | {
        "group.id": group,
        "group.protocol": "consumer",
        # The default assignor ignores topics: one member may get all partitions of the busy one. This one
        # distributes each topic, and gives the same partitions of several topics to the same member.
        "group.remote.assignor": "range",
        "max.poll.interval.ms": 120_000,
        **_READING,
    }


def reader_config(name: str) -> Config:
    """A reader of partitions that it assigns itself: it joins no group and commits nothing."""
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
