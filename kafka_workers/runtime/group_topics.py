"""Names of the topics that each consumer group owns: retries, dead letters, and their resolutions."""

import re
from functools import lru_cache

_RETRY = re.compile(r"(?P<group>.+)\.retry\.(?P<number>[1-9][0-9]{0,2})")
_DEAD_LETTERS = ".dlq"
_RESOLUTIONS = ".settled"


def retry_topic(group: str, attempts: int) -> str:
    """Where a message waits that has failed this many times (from 1)."""
    return f"{group}.retry.{attempts}"


def retry_topics(group: str, retries: int) -> list[str]:
    """All retry topics of a group that tries a failed message this many times again."""
    return [retry_topic(group, attempts) for attempts in range(1, retries + 1)]


@lru_cache
def retry_number(topic: str) -> int | None:
    """Which retry topic of its group this is (from 1); None for any other topic."""
    found = _RETRY.fullmatch(topic)
    return int(found["number"]) if found else None


def is_retry_topic_of(topic: str, group: str) -> bool:
    """Whether this is one of the group's retry topics."""
    found = _RETRY.fullmatch(topic)
    return found is not None and found["group"] == group


def dead_letter_topic(group: str) -> str:
    """The topic of the messages that a group has given up."""
    return group + _DEAD_LETTERS


def resolution_topic(group: str) -> str:
    """The topic with one record for each dead letter of the group that was redriven or discarded."""
    return dead_letter_topic(group) + _RESOLUTIONS


def group_of_dead_letters(topic: str) -> str | None:
    """The group whose dead letters, or their resolutions, are in this topic; None for any other topic."""
    topic = topic.removesuffix(_RESOLUTIONS)
    return topic.removesuffix(_DEAD_LETTERS) if topic.endswith(_DEAD_LETTERS) else None
