"""A rival, put in at a point of a test."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from django.db import connection

from devtools.driver.shop import eventually

T = TypeVar("T")


def beside(job: Callable[[], T], until: Callable[[], bool] | None = None) -> Future[T]:
    """Run a job on a connection of its own, to its end or until something is so."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(_on_its_own_connection, job)
    pool.shutdown(wait=False)
    if until is None:
        assert wait([future], timeout=10).done, "the rival waits"
        future.result()
    else:
        eventually(until, "the rival where it should be")
    return future


def _on_its_own_connection(job: Callable[[], T]) -> T:
    try:
        return job()
    finally:
        connection.close()


def someone_waits_for_an_order() -> bool:
    """Whether a transaction waits for an order's lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
        (waits,) = cursor.fetchone()
    return bool(waits)
