"""The dead letters of the groups, and what became of them (docs/failures.md)."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Literal

import msgspec
from confluent_kafka import Message
from msgspec import Struct

from kafka_workers.runtime.broker.topic_reader import groups_with_dead_letters, read_topic
from kafka_workers.runtime.group_topics import dead_letter_topic, group_of_dead_letters, settled_topic
from kafka_workers.runtime.messages.failure import PREFIX, REDRIVEN_FOR, Failure
from kafka_workers.runtime.messages.headers import Headers, headers_of
from kafka_workers.runtime.messages.message import Outgoing


class Settlement(Struct, frozen=True, kw_only=True):
    """What became of a dead letter: who decided it, when, and why."""

    result: Literal["redriven", "discarded"]
    at: datetime
    by: str
    reason: str


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A message that its group has given up; open as long as there is no `settlement`.

    `failure` is None where the headers do not tell of one: somebody else has put the message here.
    """

    group: str
    partition: int
    offset: int
    at: datetime
    key: bytes | None
    value: bytes | None
    headers: Headers
    failure: Failure | None
    settlement: Settlement | None

    @property
    def place(self) -> str:
        """Its name: topic/partition/offset of the dead letter itself."""
        return f"{dead_letter_topic(self.group)}/{self.partition}/{self.offset}"

    @property
    def key_text(self) -> str:
        return (self.key or b"").decode(errors="replace")

    def redriven(self) -> Outgoing:
        """The message as it goes back to its original topic, for its group only, with its retries before it.

        Raises OriginUnknown.
        """
        if self.failure is None:
            raise OriginUnknown(self.place)
        headers = {name: value for name, value in self.headers.items() if not name.startswith(PREFIX)}
        origin = msgspec.structs.replace(self.failure, attempts=0).as_headers()
        return Outgoing(
            self.failure.topic, self.key, self.value, headers | origin | {REDRIVEN_FOR: self.group}
        )


class OriginUnknown(Exception):
    """A dead letter whose headers do not say where it came from: it can only be discarded."""

    def __init__(self, place: str) -> None:
        super().__init__(f"{place} does not say which topic it came from: it can only be discarded")
        self.place = place


class Choice(Struct, frozen=True, kw_only=True):
    """Which dead letters: every field that is given must fit. `reason` and `topic` are of the failure."""

    group: str | None = None
    place: str | None = None
    topic: str | None = None
    reason: str | None = None
    key: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def groups(self, known: Iterable[str]) -> list[str]:
        """Where to look. Raises BrokerUnavailable."""
        group = group_of_dead_letters(self.place.split("/")[0]) if self.place else self.group
        return [group] if group else sorted({*known, *groups_with_dead_letters()})

    def fits(self, letter: DeadLetter) -> bool:
        """`reason` is part of the exception's name or text, whatever its case; `until` is excluded."""
        failure = letter.failure
        text = f"{failure.exception}: {failure.reason}" if failure else ""
        return (
            self.place in (None, letter.place)
            and self.group in (None, letter.group)
            and self.topic in (None, failure.topic if failure else "")
            and self.key in (None, letter.key_text)
            and (self.reason or "").casefold() in text.casefold()
            and (self.since is None or letter.at >= self.since)
            and (self.until is None or letter.at < self.until)
        )


def find_dead_letters(
    choice: Choice, known: Iterable[str] = (), *, with_settled: bool = False
) -> list[DeadLetter]:
    """The dead letters that fit, by group and age; without `with_settled` only the open ones.

    A choice of no group means all those that the broker shows, and the `known` ones, which it may hide from
    us. Raises BrokerUnavailable.
    """
    return [
        letter
        for group in choice.groups(known)
        for letter in _letters(group)
        if (with_settled or letter.settlement is None) and choice.fits(letter)
    ]


def read_settlements(group: str) -> dict[str, Settlement]:
    """What became of a group's dead letters, by place. Raises BrokerUnavailable."""
    return {
        (message.key() or b"").decode(): msgspec.json.decode(message.value() or b"", type=Settlement)
        for message in read_topic(settled_topic(group), group)
    }


def _letters(group: str) -> Iterator[DeadLetter]:
    settlements = read_settlements(group)
    for message in read_topic(dead_letter_topic(group), group):
        letter = _letter(group, message)
        yield msgspec.structs.replace(letter, settlement=settlements.get(letter.place))


def _letter(group: str, message: Message) -> DeadLetter:
    headers = headers_of(message)
    return DeadLetter(
        group=group,
        partition=int(message.partition() or 0),
        offset=int(message.offset() or 0),
        at=datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC),
        key=message.key(),
        value=message.value(),
        headers=headers,
        failure=Failure.told_by(message, headers),
        settlement=None,
    )
