"""The dead letters of the groups, with their resolutions (docs/failures.md)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from confluent_kafka import Message
from msgspec import Struct

from kafka_workers.runtime.broker.topic_reader import READER, groups_with_dead_letters, read_topics
from kafka_workers.runtime.group_topics import dead_letter_topic, group_of_dead_letters, resolution_topic
from kafka_workers.runtime.messages.failure import (
    PREFIX,
    REDRIVEN_FOR,
    Failure,
    UnreadableFailure,
    read_failure,
)
from kafka_workers.runtime.messages.message import OutgoingMessage
from kafka_workers.runtime.messages.record import Headers, headers_of, time_of

GroupTopics = Mapping[str, Collection[str]]
"""The topics that each group of this system reads, its retry topics apart."""


class Resolution(Struct, frozen=True, kw_only=True):
    """How a dead letter was resolved, when, by whom, and why."""

    result: Literal["redriven", "discarded"]
    at: datetime
    by: str
    reason: str


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A message that its group has given up; unresolved while `resolution` is None.

    `unreadable` is empty, or says why this is a record that the group did not write: in its dead letters, or
    among their resolutions. Then `failure` is None, and the record can only be discarded. `at` is None where
    the record's timestamp is no time.
    """

    group: str
    topic: str
    partition: int
    offset: int
    at: datetime | None
    key: bytes | None
    value: bytes | None
    headers: Headers
    failure: Failure | None
    unreadable: str
    resolution: Resolution | None

    @property
    def coordinates(self) -> str:
        """The topic/partition/offset of the record itself, which identifies it."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def key_text(self) -> str:
        return (self.key or b"").decode(errors="replace")

    @property
    def error(self) -> str:
        """The exception and the reason of the latest failure, or why the record is unreadable."""
        if self.failure is None:
            return f"unreadable: {self.unreadable}"
        return f"{self.failure.exception}: {self.failure.reason}"

    def redriven(self) -> OutgoingMessage:
        """The message for its original topic, for its group only, with all retries ahead of it.

        Raises CannotBeRedriven.
        """
        if self.failure is None:
            raise CannotBeRedriven(self.coordinates, self.unreadable)
        headers = {name: value for name, value in self.headers.items() if not name.startswith(PREFIX)}
        origin = msgspec.structs.replace(self.failure, attempts=0).as_headers()
        return OutgoingMessage(
            self.failure.topic, self.key, self.value, headers | origin | {REDRIVEN_FOR: self.group}
        )


class CannotBeRedriven(Exception):
    """A record that its group did not write: it can only be discarded."""

    def __init__(self, coordinates: str, reason: str) -> None:
        super().__init__(f"{coordinates} can only be discarded: {reason}")
        self.coordinates = coordinates
        self.reason = reason


class DeadLetterFilter(Struct, frozen=True, kw_only=True):
    """Selects dead letters by all fields that are given; `topic` and `reason` are of the failure."""

    group: str | None = None
    coordinates: str | None = None
    topic: str | None = None
    reason: str | None = None
    key: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def groups(self, known: Collection[str]) -> list[str]:
        """The groups to search. Raises BrokerUnavailable."""
        group = group_of_dead_letters(self.coordinates.split("/")[0]) if self.coordinates else self.group
        return [group] if group else sorted({*known, *groups_with_dead_letters()})

    def matches(self, letter: DeadLetter) -> bool:
        """`reason` may be any part of the error's text, in any case; `until` is excluded."""
        return (
            self.coordinates in (None, letter.coordinates)
            and self.group in (None, letter.group)
            and self.topic in (None, letter.failure.topic if letter.failure else "")
            and self.key in (None, letter.key_text)
            and (self.reason or "").casefold() in letter.error.casefold()
            and (self.since is None or (letter.at is not None and letter.at >= self.since))
            and (self.until is None or (letter.at is not None and letter.at < self.until))
        )


def find_dead_letters(
    wanted: DeadLetterFilter, groups: GroupTopics, *, include_resolved: bool = False
) -> list[DeadLetter]:
    """The dead letters that match, by group and age; only unresolved ones unless `include_resolved`.

    Without a group in the filter, `groups` are searched, whose topics an ACL may hide, and all other groups
    with a visible dead-letter topic; theirs are unreadable, since nothing says which topics they read. Raises
    BrokerUnavailable.
    """
    searched = wanted.groups(groups)
    messages = _messages_by_topic(searched)
    return [
        letter
        for group in searched
        for letter in _letters(group, groups.get(group, ()), messages)
        if (include_resolved or letter.resolution is None) and wanted.matches(letter)
    ]


def read_resolutions(group: str) -> dict[str, Resolution]:
    """The resolutions of a group's dead letters, by coordinates; of several the first one counts.

    Raises BrokerUnavailable.
    """
    return _resolutions_and_others(group, read_topics([resolution_topic(group)], group))[0]


def _messages_by_topic(groups: Collection[str]) -> Mapping[str, Sequence[Message]]:
    """The dead letters of these groups and their resolutions; one client waits for all topics at once."""
    messages: defaultdict[str, list[Message]] = defaultdict(list)
    topics = [topic(group) for group in groups for topic in (resolution_topic, dead_letter_topic)]
    for message in read_topics(topics, READER):
        messages[str(message.topic())].append(message)
    return messages


def _letters(
    group: str, topics: Collection[str], messages: Mapping[str, Sequence[Message]]
) -> Iterator[DeadLetter]:
    resolutions, others = _resolutions_and_others(group, messages.get(resolution_topic(group), ()))
    dead = [_letter(group, topics, message) for message in messages.get(dead_letter_topic(group), ())]
    for letter in (*dead, *others):
        yield msgspec.structs.replace(letter, resolution=resolutions.get(letter.coordinates))


def _resolutions_and_others(
    group: str, messages: Iterable[Message]
) -> tuple[dict[str, Resolution], list[DeadLetter]]:
    """The resolutions by coordinates, and the records between them that are none."""
    resolutions: dict[str, Resolution] = {}
    others: list[DeadLetter] = []
    for message in messages:
        try:
            coordinates = (message.key() or b"").decode()
            resolution = msgspec.json.decode(message.value() or b"", type=Resolution)
        except (ValueError, RecursionError) as error:
            others.append(_unreadable(group, message, f"it is no resolution of a dead letter: {error}"))
        else:
            resolutions.setdefault(coordinates, resolution)
    return resolutions, others


def _letter(group: str, topics: Collection[str], message: Message) -> DeadLetter:
    try:
        failure = read_failure(message, headers_of(message), group, topics)
    except UnreadableFailure as error:
        return _unreadable(group, message, error.reason)
    return msgspec.structs.replace(_unreadable(group, message, ""), failure=failure)


def _unreadable(group: str, message: Message, reason: str) -> DeadLetter:
    return DeadLetter(
        group=group,
        topic=str(message.topic()),
        partition=int(message.partition() or 0),
        offset=int(message.offset() or 0),
        at=time_of(message),
        key=message.key(),
        value=message.value(),
        headers=headers_of(message),
        failure=None,
        unreadable=reason,
        resolution=None,
    )
