"""Ids of orders in messages, which any program may have written."""

from uuid import UUID


def parse_order_id(order_id: str) -> UUID | None:
    """The id, or None where it is not in the form in which orders' ids are published."""
    try:
        parsed = UUID(order_id)
    except ValueError:
        return None
    return parsed if str(parsed) == order_id else None
