"""The connection to MongoDB: one client for each process, created at its first use."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from bson import ObjectId
from mongoengine import DEFAULT_CONNECTION_NAME, register_connection
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from products_app.documents.command_metrics import CommandMetrics, ConnectionMetrics
from products_app.exceptions import CatalogueUnavailable

CONNECT_TIMEOUT_MS = 2_500
SOCKET_TIMEOUT_MS = 10_000

_DENIALS = {13, 18}
"""The codes of Unauthorized and AuthenticationFailed."""

# ObjectId.is_valid accepts 24 characters with spaces among them, and ObjectId then makes a shorter id.
_OBJECT_ID = re.compile("[0-9a-fA-F]{24}")


def register(uri: str) -> None:
    """Set the address of MongoDB; connects nothing yet.

    Writes are durable by default. The database is `stockbridge` unless the URI names another.
    """
    register_connection(
        DEFAULT_CONNECTION_NAME,
        db="stockbridge",
        host=uri,
        w="majority",
        journal=True,
        tz_aware=True,
        uuidRepresentation="standard",
        # What another program wrote is read whatever it is: text that is not UTF-8, a time after 9999.
        unicode_decode_error_handler="replace",
        datetime_conversion="DATETIME_AUTO",
        serverSelectionTimeoutMS=CONNECT_TIMEOUT_MS,
        connectTimeoutMS=CONNECT_TIMEOUT_MS,
        socketTimeoutMS=SOCKET_TIMEOUT_MS,
        event_listeners=[CommandMetrics(), ConnectionMetrics()],
    )


@contextmanager
def translating_mongodb_errors() -> Iterator[None]:
    """Turn the driver's errors that a later attempt may not meet into CatalogueUnavailable.

    A write that raised one may have taken effect all the same.
    """
    try:
        yield
    except PyMongoError as error:
        if _is_unreachable(error) or is_transient(error) or _is_access_denied(error):
            raise CatalogueUnavailable(str(error)) from error
        raise


def _is_unreachable(error: PyMongoError) -> bool:
    """Whether MongoDB was not reached or did not answer in time."""
    return error.timeout or isinstance(error, ConnectionFailure)


def is_transient(error: PyMongoError) -> bool:
    """Whether a transaction that failed with this error may succeed when it is retried."""
    labels = ("TransientTransactionError", "UnknownTransactionCommitResult")
    return any(error.has_error_label(label) for label in labels)


def _is_access_denied(error: PyMongoError) -> bool:
    """Whether MongoDB refused the login or the operation: an operator must correct its users or the URI."""
    return isinstance(error, OperationFailure) and error.code in _DENIALS


def object_id(text: str) -> ObjectId | None:
    """The ObjectId that the text spells; None if the text is not 24 hexadecimal digits."""
    return ObjectId(text) if _OBJECT_ID.fullmatch(text) else None


def current_time() -> datetime:
    """The time now, rounded down to the milliseconds that MongoDB stores."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
