"""The way to MongoDB: one client a process, made at its first use."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pymongo
from bson import ObjectId
from mongoengine import DEFAULT_CONNECTION_NAME, register_connection
from pymongo.errors import ConnectionFailure, PyMongoError

from products_app.exceptions import CatalogueUnavailable

SELECTION_MILLISECONDS = 2_500
OPERATION_SECONDS = 10

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
        serverSelectionTimeoutMS=SELECTION_MILLISECONDS,
        connectTimeoutMS=SELECTION_MILLISECONDS,
    )


@contextmanager
def reaching_catalogue() -> Iterator[None]:
    """What is done inside ends within OPERATION_SECONDS, or with CatalogueUnavailable.

    A write that ended so may have happened all the same.
    """
    try:
        with pymongo.timeout(OPERATION_SECONDS):
            yield
    except PyMongoError as error:
        if error.timeout or isinstance(error, ConnectionFailure):
            raise CatalogueUnavailable(str(error)) from error
        raise


def object_id(text: str) -> ObjectId | None:
    """The ObjectId that this text writes, if any."""
    return ObjectId(text) if _OBJECT_ID.fullmatch(text) else None
