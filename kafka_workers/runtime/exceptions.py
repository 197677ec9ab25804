"""The errors of the Kafka runtime; each states the fact and carries its data."""

from collections.abc import Sequence

from msgspec import Struct

from foundation.outage import DependencyUnavailable


class InvalidMessage(Exception):
    """A message that no retry can help: it becomes a dead letter at once, with this reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BrokerUnavailable(DependencyUnavailable):
    """Kafka did not accept or confirm in time; messages that were sent may or may not have arrived."""

    def __init__(self, detail: str) -> None:
        super().__init__("Kafka", detail)


class AccessDenied(BrokerUnavailable):
    """Kafka answers, but an ACL is missing: `sentence` says which one."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence

    @property
    def cause(self) -> str:
        return self.sentence


class MembershipEnded(Exception):
    """The client has left its group for good, without a reason: only a new client can join again."""


class TopicNotCreated(Exception):
    """The broker rejects a topic with the settings that were asked for."""

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(f"the topic {topic} cannot be created: {reason}")
        self.topic = topic
        self.reason = reason


class RejectedMessage(Struct, frozen=True):
    """A message that the broker will never store: its index in the batch given to `publish`, and why."""

    index: int
    topic: str
    key: str
    reason: str


class PublishFailed(Exception):
    """The broker rejects some messages of a batch for good; all others of the batch were delivered."""

    def __init__(self, rejected: Sequence[RejectedMessage]) -> None:
        first = rejected[0]
        more = f" (and {len(rejected) - 1} more)" if len(rejected) > 1 else ""
        super().__init__(f"Kafka rejects the message {first.key} to {first.topic}: {first.reason}{more}")
        self.rejected = tuple(rejected)
