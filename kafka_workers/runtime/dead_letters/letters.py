"""The dead letters of the groups, with their resolutions (docs/failures.md)."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Literal

import msgspec
from confluent_kafka import Message
from msgspec import Struct

from kafka_workers.runtime.broker.topic_reader import groups_with_dead_letters, read_topic
from kafka_workers.runtime.group_topics import dead_letter_topic, group_of_dead_letters, resolution_topic
from kafka_workers.runtime.messages.failure import PREFIX, REDRIVEN_FOR, Failure
from kafka_workers.runtime.messages.message import OutgoingMessage
from kafka_workers.runtime.messages.record import Headers, headers_of


class Resolution(Struct, frozen=True, kw_only=True):
    """How a dead letter was resolved, when, by whom, and why."""

    result: Literal["redriven", "discarded"]
    at: datetime
    by: str
    reason: str


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A message that its group has given up; unresolved while `resolution` is None.

    `failure` is None when the headers record none, because another program wrote the message.
    """

    group: str
    partition: int
    offset: int
    at: datetime
    key: bytes | None
    value: bytes | None
    headers: Headers
    failure: Failure | None
    resolution: Resolution | None

    @property
    def coordinates(self) -> str:
        """The topic/partition/offset of the dead letter itself, which identifies it."""
        return f"{dead_letter_topic(self.group)}/{self.partition}/{self.offset}"

    @property
    def key_text(self) -> str:
        return (self.key or b"").decode(errors="replace")

    def redriven(self) -> OutgoingMessage:
        """The message for its original topic, for its group only, with all retries ahead of it.

        Raises OriginUnknown.
        """
        if self.failure is None:
            raise OriginUnknown(self.coordinates)
        headers = {name: value for name, value in self.headers.items() if not name.startswith(PREFIX)}
        origin = msgspec.structs.replace(self.failure, attempts=0).as_headers()
        return OutgoingMessage(
            self.failure.topic, self.key, self.value, headers | origin | {REDRIVEN_FOR: self.group}
        )


class OriginUnknown(Exception):
    """A dead letter without its original topic in the headers: it can only be discarded."""

    def __init__(self, coordinates: str) -> None:
        super().__init__(f"{coordinates} does not say which topic it came from: it can only be discarded")
        self.coordinates = coordinates


class DeadLetterFilter(Struct, frozen=True, kw_only=True):
    """Selects dead letters by all fields that are given; `topic` and `reason` are of the failure."""

    group: str | None = None
    coordinates: str | None = None
    topic: str | None = None
    reason: str | None = None
    key: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def groups(self, known: Iterable[str]) -> list[str]:
        """The groups to search. Raises BrokerUnavailable."""
        group = group_of_dead_letters(self.coordinates.split("/")[0]) if self.coordinates else self.group
        return [group] if group else sorted({*known, *groups_with_dead_letters()})

    def matches(self, letter: DeadLetter) -> bool:
        """`reason` may be any part of the exception's name or text, in any case; `until` is excluded."""
        failure = letter.failure
        text = f"{failure.exception}: {failure.reason}" if failure else ""
        return (
            self.coordinates in (None, letter.coordinates)
            and self.group in (None, letter.group)
            and self.topic in (None, failure.topic if failure else "")
            and self.key in (None, letter.key_text)
            and (self.reason or "").casefold() in text.casefold()
            and (self.since is None or letter.at >= self.since)
            and (self.until is None or letter.at < self.until)
        )


def find_dead_letters(
    wanted: DeadLetterFilter, known: Iterable[str] = (), *, include_resolved: bool = False
) -> list[DeadLetter]:
    """The dead letters that match, by group and age; only unresolved ones unless `include_resolved`.

    Without a group in the filter, all groups with a visible dead-letter topic are searched, and the `known`
    ones, whose topics an ACL may hide. Raises BrokerUnavailable.
    """
    return [
        letter
        for group in wanted.groups(known)
        for letter in _letters(group)
        if (include_resolved or letter.resolution is None) and wanted.matches(letter)
    ]


def read_resolutions(group: str) -> dict[str, Resolution]:
    """The resolutions of a group's dead letters, by coordinates. Raises BrokerUnavailable."""
    return {
        (message.key() or b"").decode(): msgspec.json.decode(message.value() or b"", type=Resolution)
        for message in read_topic(resolution_topic(group), group)
    }


def _letters(group: str) -> Iterator[DeadLetter]:
    resolutions = read_resolutions(group)
    for message in read_topic(dead_letter_topic(group), group):
        letter = _letter(group, message)
        yield msgspec.structs.replace(letter, resolution=resolutions.get(letter.coordinates))


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
        failure=Failure.from_message(message, headers),
        resolution=None,
    )
