"""The worker that measures consumer lag again and again, as metrics."""

import threading
import time
from collections import Counter
from collections.abc import Sequence, Set
from functools import partial

import structlog

from foundation.heartbeat import beat, tell_warm
from foundation.metrics import (
    CONSUMER_GROUP_STATUS,
    CONSUMER_LAG_MESSAGES,
    CONSUMER_LAG_SECONDS,
    CONSUMER_LOST_MESSAGES,
    DEAD_LETTERS,
    TOPIC_RECORDS_KEPT,
    TOPIC_RECORDS_WRITTEN,
    TOPIC_UNDER_REPLICATED_PARTITIONS,
)
from foundation.outage import take_turns
from foundation.work_report import tell_work
from kafka_workers.lag.judging import Status
from kafka_workers.lag.surroundings import watch_surroundings
from kafka_workers.lag.watching import LagWatch, WatchedPartition
from kafka_workers.runtime.broker.topic_counts import TopicCounter, TopicCounts
from kafka_workers.runtime.dead_letters.letters import DeadLetterFilter, find_dead_letters
from kafka_workers.workers import GROUPS

LOOK_SECONDS = 5.0
DEAD_LETTER_SECONDS = 30.0
WINDOW_SECONDS = 30.0
MOST_OTHER_GROUPS = 50
"""The lag of so many groups of other programs is shown, until the exporter is started again."""

log = structlog.get_logger(__name__)

Labels = tuple[str, str, str]


def run(stop: threading.Event) -> None:
    """Measure until `stop` is set. Waits while Kafka is unavailable."""
    watch_surroundings(stop)
    with LagWatch(window_seconds=WINDOW_SECONDS) as watch:
        take_turns(stop, partial(_take_turn, watch, LagMetrics(), TopicCounter(), DeadLetterMetric()))


def _take_turn(
    watch: LagWatch, lag: "LagMetrics", topics: TopicCounter, dead_letters: "DeadLetterMetric"
) -> float:
    """One look; the seconds until the next. Raises DependencyUnavailable."""
    beat()
    lag.show(watch.look(), unknown=watch.leaderless)
    for counts in topics.count():
        show_topic(counts)
    dead_letters.show_when_due()
    tell_warm()
    tell_work()
    return LOOK_SECONDS


class ShownGroups:
    """The groups whose lag is shown: ours, and of other programs the first that were seen.

    Each name is a label, so that Prometheus keeps its series; every console consumer has a new name.
    """

    def __init__(self) -> None:
        self._others: set[str] = set()
        self._has_told = False

    def takes(self, group: str) -> bool:
        """Whether the lag of this group is shown; logs once that there are too many others."""
        if group in GROUPS or group in self._others:
            return True
        if len(self._others) < MOST_OTHER_GROUPS:
            self._others.add(group)
            return True
        if not self._has_told:
            log.warning(
                "metrics show no further groups of other programs", group=group, shown=MOST_OTHER_GROUPS
            )
            self._has_told = True
        return False


class LagMetrics:
    """The metrics of lag; those of a partition that is gone become 0, those of one without a leader stay."""

    def __init__(self) -> None:
        self._shown: set[Labels] = set()
        self._groups = ShownGroups()

    def show(self, watched: Sequence[WatchedPartition], *, unknown: Set[tuple[str, int]]) -> None:
        """Set the metrics of these partitions; `unknown` has those without a leader."""
        watched = [each for each in watched if self._groups.takes(each.lag.group)]
        now_shown = {_labels(each) for each in watched}
        kept = {labels for labels in self._shown if (labels[1], int(labels[2])) in unknown}
        for gone in self._shown - now_shown - kept:
            _set(gone, 0, 0.0, None, lost=0)
        for each in watched:
            _set(_labels(each), each.unread, each.waiting_seconds, each.status, lost=each.lost)
        self._shown = now_shown | kept


def _labels(watched: WatchedPartition) -> Labels:
    return watched.lag.group, watched.lag.topic, str(watched.lag.partition)


def _set(labels: Labels, messages: int, seconds: float, status: Status | None, *, lost: int) -> None:
    CONSUMER_LAG_MESSAGES.labels(*labels).set(messages)
    CONSUMER_LAG_SECONDS.labels(*labels).set(round(seconds, 3))
    CONSUMER_LOST_MESSAGES.labels(*labels).set(lost)
    for each in Status:
        CONSUMER_GROUP_STATUS.labels(*labels, each).set(each is status)


class DeadLetterMetric:
    """The metric of dead letters: their topics are read from the beginning for it, so not at each look."""

    def __init__(self) -> None:
        self._due = 0.0

    def show_when_due(self) -> None:
        """Count them and set the metric, unless that was done a short time ago. Raises BrokerUnavailable."""
        if time.monotonic() < self._due:
            return
        counts = Counter(letter.group for letter in find_dead_letters(DeadLetterFilter(), GROUPS))
        for group in GROUPS:
            DEAD_LETTERS.labels(group).set(counts[group])
        self._due = time.monotonic() + DEAD_LETTER_SECONDS


def show_topic(counts: TopicCounts) -> None:
    """Set the metrics of a topic."""
    TOPIC_RECORDS_WRITTEN.labels(counts.topic).set(counts.written)
    TOPIC_RECORDS_KEPT.labels(counts.topic).set(counts.kept)
    TOPIC_UNDER_REPLICATED_PARTITIONS.labels(counts.topic).set(counts.under_replicated)
