"""Fixtures of the bridge's tests."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from django.core.management import call_command
from django.db import connection

from devtools.driver.kafka import Wire

Worker = Callable[[threading.Event], None]


@pytest.fixture(scope="session")
def wire(kafka: str) -> Iterator[Wire]:
    """The broker, with the topics of production."""
    call_command("create_topics", verbosity=0)
    with closing(Wire(kafka)) as wire:
        yield wire


@contextmanager
def working(worker: Worker) -> Iterator[None]:
    """A worker in a thread; what it raises fails the test."""
    stop = threading.Event()
    errors: list[BaseException] = []

    def work() -> None:
        try:
            worker(stop)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive(), "the worker did not end within 20 s"
        assert errors == []
