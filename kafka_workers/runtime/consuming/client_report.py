"""What the Kafka client of a consumer reports of itself every few seconds, as metrics."""

import msgspec
from msgspec import Struct, field

from foundation.metrics import CONSUMER_FETCHED_MESSAGES, KAFKA_REQUEST_ERRORS


class _Partition(Struct, frozen=True):
    fetchq_cnt: int = 0


class _Topic(Struct, frozen=True):
    partitions: dict[str, _Partition] = field(default_factory=dict)


class _Broker(Struct, frozen=True):
    txerrs: int = 0
    rxerrs: int = 0
    req_timeouts: int = 0

    @property
    def errors(self) -> int:
        """Requests that failed or were not answered in time, since the client began."""
        return self.txerrs + self.rxerrs + self.req_timeouts


class _Report(Struct, frozen=True):
    brokers: dict[str, _Broker] = field(default_factory=dict)
    topics: dict[str, _Topic] = field(default_factory=dict)


_decode = msgspec.json.Decoder(_Report).decode


class ClientReport:
    """Sets the metrics of a group's client; for one client, whose counts begin at 0."""

    def __init__(self, group: str) -> None:
        self._fetched = CONSUMER_FETCHED_MESSAGES.labels(group)
        self._errors = KAFKA_REQUEST_ERRORS.labels(group)
        self._counted = 0

    def take(self, statistics: str) -> None:
        """Take a report, which is JSON."""
        report = _decode(statistics)
        self._fetched.set(
            sum(each.fetchq_cnt for topic in report.topics.values() for each in topic.partitions.values())
        )
        errors = sum(broker.errors for broker in report.brokers.values())
        # A broker that has left the cluster is no longer counted.
        self._errors.inc(max(0, errors - self._counted))
        self._counted = errors
