"""Time limits for calls of the Kafka client that may block for too long."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")

REACH_SECONDS = 3
"""How long a command waits for the first answer of a broker before it says that Kafka is unavailable."""

ANSWER_SECONDS = 10
"""How long it waits for each further answer."""


def call_within(seconds: float, call: Callable[[], T]) -> T:
    """The call's result or exception; raises TimeoutError when it takes longer than `seconds`.

    After a timeout the call continues in a daemon thread, which does not keep the process alive.
    """
    future: Future[T] = Future()
    threading.Thread(target=_run, args=[call, future], daemon=True).start()
    return future.result(seconds)


def _run(call: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(call())
    except Exception as error:
        future.set_exception(error)
