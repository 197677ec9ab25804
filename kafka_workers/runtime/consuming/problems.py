"""The problems that Kafka reports to a group member: each is logged once, a missing ACL with its name."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

import structlog
from confluent_kafka import KafkaError, KafkaException

from kafka_workers.runtime.broker.errors import describe_missing_acl, error_code, is_missing_acl

log = structlog.get_logger(__name__)


class ReportedProblems:
    """Logs the problems of one member, which reads these topics.

    `visible_topics` asks the broker for the topics that it shows to this member; it may raise KafkaException.
    """

    def __init__(
        self, group: str, topics: Sequence[str], visible_topics: Callable[[], Collection[str]]
    ) -> None:
        self._group = group
        self._topics = topics
        self._visible_topics = visible_topics
        self._logged: set[tuple[int, str]] = set()

    def report(self, error: KafkaError, topic: str | None) -> None:
        """Log an error, about this topic if about one, unless that was done since the last `forget`."""
        logged = (error_code(error), str(topic))
        if logged not in self._logged:
            self._logged.add(logged)
            reason = self.describe_missing_acl(error, topic) if is_missing_acl(error) else error.str()
            log.warning("Kafka reports a problem: waiting", topic=topic, error=reason)

    def forget(self) -> None:
        """Log every problem again that occurs from now on."""
        self._logged.clear()

    def describe_missing_acl(self, error: KafkaError, topic: str | None = None) -> str:
        """The sentence about a missing ACL; the error itself does not always name its topic."""
        if error_code(error) == KafkaError.GROUP_AUTHORIZATION_FAILED:
            return describe_missing_acl(error, "READ", self._group)
        return describe_missing_acl(error, "READ", topic or ", ".join(self._invisible_topics()))

    def _invisible_topics(self) -> Sequence[str]:
        """The topics without a DESCRIBE permission; all topics when there are none."""
        visible: Collection[str] = ()
        with suppress(KafkaException):
            visible = self._visible_topics()
        return [topic for topic in self._topics if topic not in visible] or self._topics
