"""Products that are not listed yet, or no longer, because another program wrote them.

A product is listed once it has the words by which it is found. The services write these with the product;
another program does not, so each list first looks at the products without words, of which there are few.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog
from bson import ObjectId
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from products_app.documents.product import product_collection, validator
from products_app.documents.reading import find_readable
from products_app.documents.search_words import search_fields

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 1_000
"""How many products one list adds: no request may have to wait for the import of a whole catalogue."""


def list_unlisted(*, at_most: int = MOST_AT_ONCE) -> None:
    """Add the words of products that have none, the newest first; pass over those that cannot be read.

    `at_most` is how many are looked at; 0 for all.
    """
    without_words = {"searchWords": {"$exists": False}}
    looked_at = write_words(product_collection().find(without_words).sort("_id", -1).limit(at_most))
    # Those that cannot be read stay without words: many of them must not keep the others off the lists.
    if looked_at == at_most:
        write_words(product_collection().find(without_words | validator()).limit(at_most))


def list_all() -> None:
    """Bring the words of all products up to date, those too whose texts another program has changed."""
    write_words(product_collection().find())


def write_words(documents: Iterable[Mapping[str, Any]]) -> int:
    """Write the words of these products where they are missing or old; how many products there were."""
    updates: list[UpdateOne] = []
    looked_at = 0
    for document in documents:
        looked_at += 1
        if (product := find_readable(document)) is None:
            continue
        words = search_fields(product)
        if any(document.get(field) != words[field] for field in words):
            updates.append(UpdateOne({"_id": document["_id"]}, {"$set": words}))
        if len(updates) == MOST_AT_ONCE:
            _write(updates)
    _write(updates)
    return looked_at


def unlist(product_ids: Sequence[ObjectId]) -> None:
    """Take these products, and all others that can no longer be read, off the lists.

    All at once, since another program may have spoiled them all. A list adds them again once they are mended.
    """
    unreadable = {"searchWords": {"$exists": True}, "$nor": [validator()]}
    change = {"$unset": {"nameWords": 1, "searchWords": 1}}
    product_collection().update_many({"$or": [{"_id": {"$in": list(product_ids)}}, unreadable]}, change)


def _write(updates: list[UpdateOne]) -> None:
    if not updates:
        return
    try:
        product_collection().bulk_write(updates, ordered=False)
    except BulkWriteError as error:  # such as a document that would be larger than MongoDB allows
        failed = error.details["writeErrors"]
        log.warning("products cannot be listed", count=len(failed), reason=failed[0]["errmsg"])
    updates.clear()
