"""Threads that work beside a consumer, from its start to its end."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

END_SECONDS = 10
"""How long the threads may take to end; they are asked to when the consumer is."""

Function = Callable[[threading.Event], None]


@contextmanager
def running_beside(functions: Sequence[Function], stop: threading.Event) -> Iterator[None]:
    """Run the functions in threads until `stop` is set, and wait for their end.

    If one fails, `stop` is set, so that the consumer ends too, and its error is raised here.
    """
    errors: list[BaseException] = []
    threads = [_start(function, stop, errors) for function in functions]
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(END_SECONDS)
    if errors:
        raise errors[0]


def _start(function: Function, stop: threading.Event, errors: list[BaseException]) -> threading.Thread:
    def run() -> None:
        try:
            function(stop)
        except BaseException as error:
            errors.append(error)
            stop.set()

    thread = threading.Thread(target=run, name=function.__name__, daemon=True)
    thread.start()
    return thread
