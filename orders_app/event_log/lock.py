"""Locks on orders: they keep the versions of an order in turn in the log."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from orders_app.exceptions import LockedTooLate

LOCK = """
SELECT pg_current_xact_id_if_assigned()::text, pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key
"""


def lock_orders(order_ids: Iterable[UUID]) -> None:
    """Lock these orders until the transaction ends; waits for other transactions that hold one of them.

    Call it once in a transaction, with all orders to be changed, before the first write. Raises LockedTooLate
    outside a transaction and where the transaction has an id already: its events would then stand in the log
    before those of a transaction that this one waited for.
    """
    if not connection.in_atomic_block:
        raise LockedTooLate("orders are locked inside a transaction")
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [lock_keys(order_ids)])
        if any(transaction_id is not None for transaction_id, _ in cursor.fetchall()):
            raise LockedTooLate("orders are locked before the transaction's first write")


def lock_keys(order_ids: Iterable[UUID]) -> list[int]:
    """The parameter of LOCK. Sorted: two transactions that lock in different orders would deadlock."""
    return sorted({_lock_key(order_id) for order_id in order_ids})


def _lock_key(order_id: UUID) -> int:
    """The 64 bits of a UUIDv7 that are mostly random, as a signed bigint."""
    return int.from_bytes(order_id.bytes[8:], signed=True)
