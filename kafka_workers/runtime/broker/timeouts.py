"""Calls of the Kafka client that may block for longer than a worker can wait."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def call_within(seconds: float, call: Callable[[], T]) -> T:
    """What the call returns or raises; raises TimeoutError where that takes longer than `seconds`.

    Then the call goes on by itself, in a thread that does not keep the process alive.
    """
    future: Future[T] = Future()
    threading.Thread(target=_run, args=[call, future], daemon=True).start()
    return future.result(seconds)


def _run(call: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(call())
    except Exception as error:
        future.set_exception(error)
