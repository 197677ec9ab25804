"""What can go wrong between a worker and its surroundings; each says the fact and carries its data."""

from collections.abc import Sequence

from msgspec import Struct

from foundation.outage import DependencyUnavailable


class InvalidMessage(Exception):
    """A message that no repetition can mend: it goes to the dead letters at once, with this reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BrokerUnavailable(DependencyUnavailable):
    """Kafka did not take or confirm in time; what was sent may or may not have arrived."""

    def __init__(self, detail: str) -> None:
        super().__init__("Kafka", detail)


class AccessDenied(BrokerUnavailable):
    """Kafka answers, but does not let us do what we need to: `sentence` says which ACL is missing."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence

    @property
    def cause(self) -> str:
        return self.sentence


class MembershipEnded(Exception):
    """The client has given up its group for good, and does not say why: only another one can join again."""


class TopicNotCreated(Exception):
    """The broker will not have a topic as the settings want it."""

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(f"the topic {topic} cannot be created: {reason}")
        self.topic = topic
        self.reason = reason


class Refusal(Struct, frozen=True):
    """A message that the broker will never take: its place in the batch handed to `publish`, and why."""

    index: int
    topic: str
    key: str
    reason: str


class PublishFailed(Exception):
    """The broker refuses some messages of a batch for good; all others of the batch were delivered."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        first = refusals[0]
        more = f" (and {len(refusals) - 1} more)" if len(refusals) > 1 else ""
        super().__init__(f"Kafka refuses the message {first.key} to {first.topic}: {first.reason}{more}")
        self.refusals = tuple(refusals)


class FloodOfDeadLetters(Exception):
    """So many messages became dead letters that the code, not the messages, is likely to be wrong."""

    def __init__(self, group: str, dead: int, good: int, in_a_row: int, seconds: float) -> None:
        super().__init__(
            f"{group} stops: {dead} dead letters against {good} good messages in the last {seconds:.0f} s, "
            f"{in_a_row} of them in a row. All are kept in {group}.dlq: mend the cause, start again, redrive."
        )
        self.group = group
        self.dead = dead
        self.good = good
        self.in_a_row = in_a_row
