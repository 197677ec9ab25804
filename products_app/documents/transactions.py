"""Transactions of MongoDB: durable, on one snapshot, and repeated where another one was first."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from mongoengine import get_connection
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, PyMongoError, ServerSelectionTimeoutError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern
from tenacity import RetryCallState, retry, retry_if_exception, stop_after_delay, wait_random_exponential

from foundation.metrics import MONGODB_CONFLICTS
from products_app.documents.connection import is_transient, translating_mongodb_errors

T = TypeVar("T")

RETRY_SECONDS = 10
DUPLICATE_KEY = 11000
SNAPSHOT = ReadConcern("snapshot")
DURABLE = WriteConcern("majority", j=True)


class WriteConflict(PyMongoError):
    """Another transaction has changed what this one had read; this one must be repeated.

    Carries the label that MongoDB gives its own write conflicts, so that both are retried alike.
    """

    def __init__(self) -> None:
        super().__init__("another transaction changed the same documents", ["TransientTransactionError"])


def is_retryable(error: BaseException) -> bool:
    """Whether the error is a write conflict, or an unknown commit result.

    An unreachable server is not retried here: the caller waits longer.
    """
    return (
        isinstance(error, PyMongoError)
        and is_transient(error)
        and not isinstance(error, ServerSelectionTimeoutError)
    )


def is_duplicate_key(error: BulkWriteError) -> bool:
    """Whether a write failed because a unique index has the value already."""
    return any(write_error["code"] == DUPLICATE_KEY for write_error in error.details["writeErrors"])


def _count_conflict(_: RetryCallState) -> None:
    MONGODB_CONFLICTS.inc()


retry_on_conflict = retry(
    retry=retry_if_exception(is_retryable),
    wait=wait_random_exponential(multiplier=0.005, max=0.5),
    stop=stop_after_delay(RETRY_SECONDS),
    before_sleep=_count_conflict,
    reraise=True,
)


@contextmanager
def transaction() -> Iterator[ClientSession]:
    """A transaction on one snapshot, which is committed durably at the end of the block; not repeated."""
    client: MongoClient[Any] = get_connection()
    with client.start_session() as session, session.start_transaction(SNAPSHOT, DURABLE):
        yield session


def in_transaction(work: Callable[[ClientSession], T]) -> T:
    """Do the work in a transaction, and commit it; repeat both while others write the same documents.

    The work may be done again after a commit whose result is unknown: it must find out by what it reads that
    it was done. Raises CatalogueUnavailable, and what the work raises.
    """
    with translating_mongodb_errors():
        result: T = _attempt(work)
    return result


@retry_on_conflict
def _attempt(work: Callable[[ClientSession], Any]) -> Any:
    with transaction() as session:
        return work(session)
