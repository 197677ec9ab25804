"""Concurrent work in tests: threads with database connections of their own, and waits with a limit.

| a test needs | it calls |
|---|---|
| jobs at the same time, all of which succeed | `run_together` |
| jobs at the same time, of which some may fail | `race` |
| a rival that acts, to its end, in the middle of the test's own work | `run_beside` |
| the same at a point inside the code under test | `insert_rival` |
| a job that runs while the test continues | `start_beside` |
| a worker that runs until the test has ended | `running` |
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any, TypeVar

import pytest
from django.db import connection, connections

from devtools.driver.shop import eventually

T = TypeVar("T")
SECONDS = 60.0
"""The longest that concurrent jobs may take."""
RIVAL_SECONDS = 10.0
"""The longest that a rival or the end of a worker may take; a rival that takes longer waits for the test."""


def run_together(*jobs: Callable[[], T], seconds: float = SECONDS) -> list[T]:
    """Runs the jobs at the same time; returns their results in order. Raises the first exception of a job."""
    outcomes = race(*jobs, seconds=seconds)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    return [outcome for outcome in outcomes if not isinstance(outcome, Exception)]


def race(*jobs: Callable[[], T], seconds: float = SECONDS) -> list[T | Exception]:
    """Runs the jobs at the same time; returns the result or the exception of each, in order."""
    start = threading.Barrier(len(jobs), timeout=RIVAL_SECONDS)

    def run(job: Callable[[], T]) -> T | Exception:
        try:
            start.wait()
            return job()
        except Exception as error:
            return error

    started = [start_beside(partial(run, job)) for job in jobs]
    return [result_of(each, seconds) for each in started]


def start_beside(job: Callable[[], T], until: Callable[[], bool] | None = None) -> Future[T]:
    """Starts a job in a thread of its own; with `until`, returns when that is true."""
    future: Future[T] = Future()
    threading.Thread(target=_run, args=[job, future], daemon=True).start()
    if until is not None:
        eventually(until, "the state of the job beside the test", RIVAL_SECONDS)
    return future


def run_beside(job: Callable[[], T], seconds: float = RIVAL_SECONDS) -> T:
    """Runs a job to its end in a thread of its own. Returns its result or raises its exception."""
    return result_of(start_beside(job), seconds)


def result_of(work: Future[T], seconds: float = RIVAL_SECONDS) -> T:
    """Waits for a job; returns its result or raises its exception. Fails after `seconds`."""
    assert wait([work], seconds).done, f"the job beside the test has not ended within {seconds:g} s"
    return work.result()


def insert_rival(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, function: str, rival: Callable[[], object]
) -> None:
    """Runs the rival to its end just before the module's next call of this function, and only then."""
    original = getattr(module, function)

    def after_the_rival(*args: Any, **named: Any) -> Any:
        monkeypatch.setattr(module, function, original)
        run_beside(rival)
        return original(*args, **named)

    monkeypatch.setattr(module, function, after_the_rival)


@contextmanager
def running(worker: Callable[[threading.Event], None]) -> Iterator[None]:
    """Runs a worker in a thread and stops it at the end. Raises the exception of the worker."""
    stop = threading.Event()
    work = start_beside(lambda: worker(stop))
    try:
        yield
    finally:
        stop.set()
        result_of(work, 2 * RIVAL_SECONDS)


def of_type(kind: type[T], outcomes: Sequence[object]) -> list[T]:
    """The outcomes of this type."""
    return [outcome for outcome in outcomes if isinstance(outcome, kind)]


def a_transaction_waits_for_an_order() -> bool:
    """Whether a transaction waits for an order's lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
        (waits,) = cursor.fetchone()
    return bool(waits)


def _run(job: Callable[[], T], future: Future[T]) -> None:
    """Runs the job, and closes the thread's connections before its future is done."""
    try:
        result = _with_own_connections(job)
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)


def _with_own_connections(job: Callable[[], T]) -> T:
    try:
        return job()
    finally:
        connections.close_all()
