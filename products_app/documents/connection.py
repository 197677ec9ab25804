"""The way to MongoDB: one client a process, made at its first use."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from bson import ObjectId
from mongoengine import DEFAULT_CONNECTION_NAME, register_connection
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from products_app.exceptions import CatalogueUnavailable

CONNECTING_MILLISECONDS = 2_500
ANSWERING_MILLISECONDS = 10_000

_DENIALS = {13, 18}
"""The codes of Unauthorized and AuthenticationFailed."""

# Not ObjectId.is_valid: it takes 24 characters with spaces among them and makes a shorter id of them.
_OBJECT_ID = re.compile("[0-9a-fA-F]{24}")


def register(uri: str) -> None:
    """Say where MongoDB is. Writes are durable by default; a URI without a database means `stockbridge`."""
    register_connection(
        DEFAULT_CONNECTION_NAME,
        db="stockbridge",
        host=uri,
        w="majority",
        journal=True,
        tz_aware=True,
        uuidRepresentation="standard",
        serverSelectionTimeoutMS=CONNECTING_MILLISECONDS,
        connectTimeoutMS=CONNECTING_MILLISECONDS,
        socketTimeoutMS=ANSWERING_MILLISECONDS,
    )


@contextmanager
def reaching_catalogue() -> Iterator[None]:
    """Turns the driver's ways of saying that MongoDB cannot do it now into CatalogueUnavailable.

    A write that ended so may have happened all the same.
    """
    try:
        yield
    except PyMongoError as error:
        if error.timeout or isinstance(error, ConnectionFailure) or is_passing(error) or _is_denial(error):
            raise CatalogueUnavailable(str(error)) from error
        raise


def is_passing(error: PyMongoError) -> bool:
    """Whether a transaction ended so may succeed when it is done again."""
    labels = ("TransientTransactionError", "UnknownTransactionCommitResult")
    return any(error.has_error_label(label) for label in labels)


def _is_denial(error: PyMongoError) -> bool:
    """Whether MongoDB does not let us in, or not do this: what somebody has to mend there or in the URI."""
    return isinstance(error, OperationFailure) and error.code in _DENIALS


def object_id(text: str) -> ObjectId | None:
    """The ObjectId that this text writes, if any."""
    return ObjectId(text) if _OBJECT_ID.fullmatch(text) else None
