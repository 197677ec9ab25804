"""Asking again while what a question is about moves from one broker to another."""

import time
from collections.abc import Callable, Collection
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException

from kafka_workers.runtime.broker.timeouts import ANSWER_SECONDS

T = TypeVar("T")

COORDINATOR_MOVED = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}
"""What a broker answers just after a group's coordinator has moved; the client then finds the new one."""
LEADER_MOVED = {
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.OFFSET_NOT_AVAILABLE,
}
"""What a broker answers just after another one has become the leader of a partition."""
_PAUSE_SECONDS = 0.05


def ask_while_moved(
    ask: Callable[[float], T], moved: Collection[int], find: Callable[[], object] | None = None
) -> T:
    """The answer to a question that may take so many seconds; asked again after an error of these codes.

    Before that `find` lets the client learn who leads now, where it does not by itself. Raises what that
    raises, and KafkaException, also with such an error after ANSWER_SECONDS.
    """
    left, end = float(ANSWER_SECONDS), time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            return ask(left)
        except KafkaException as exception:
            left = end - time.monotonic() - _PAUSE_SECONDS
            if exception.args[0].code() not in moved or left <= 0:
                raise
        time.sleep(_PAUSE_SECONDS)
        if find is not None:
            find()
