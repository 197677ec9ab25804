"""Judges whether a group keeps up with one partition, by what happened in a window of time.

The rules follow those of LinkedIn's Burrow (core/internal/evaluator/caching.go): they ask whether the group
gets on, and set no limit for lag, because a limit that fits one topic does not fit the others. Burrow sees
from the times of commits whether anybody reads; here the members of the group tell it.
"""

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

from msgspec import Struct


class Status(StrEnum):
    """How a group keeps up with a partition."""

    OK = "OK"
    WARN = "WARN"
    """It reads, but falls further behind."""
    STALLED = "STALLED"
    """A member has the partition and does not get on."""
    STOPPED = "STOPPED"
    """Messages wait, and no member of the group reads them."""
    REWOUND = "REWOUND"
    """It was set back to messages that it had read before."""


FAILING = frozenset({Status.STALLED, Status.STOPPED})
"""Nothing is read: people have to do something."""


class Sample(Struct, frozen=True, kw_only=True):
    """A partition of a group at one moment; `waiting_seconds` is the age of the first unread message.

    A message that a retry topic keeps until its time is not waiting before that time.
    """

    time: float
    committed: int | None
    lag: int
    waiting_seconds: float
    is_read: bool
    """Whether a member of the group has the partition."""


def judge(window: Sequence[Sample], *, patience: float) -> Status:
    """The status at the end of a window of samples, which are in the order of their times.

    A message that has waited for less than `patience` seconds is not late: it may be in work. One sample
    alone does not tell whether anything moves: after an outage it is taken while the consumers come back.
    """
    last = window[-1]
    if last.lag and any(_was_set_back(*pair) for pair in pairwise(window)):
        return Status.REWOUND
    if len(window) == 1 or last.waiting_seconds < patience:
        return Status.OK
    if any(not each.waiting_seconds for each in window):
        return Status.OK
    if last.committed == window[0].committed:
        return Status.STALLED if last.is_read else Status.STOPPED
    if last.lag > window[0].lag and all(later.lag >= earlier.lag for earlier, later in pairwise(window)):
        return Status.WARN
    return Status.OK


def _was_set_back(earlier: Sample, later: Sample) -> bool:
    return (later.committed or 0) < (earlier.committed or 0)
