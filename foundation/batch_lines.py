"""Log lines about a batch: one for many orders, in which each order is found by its id and its trace."""

from collections.abc import Mapping, Sequence

from structlog.typing import FilteringBoundLogger

MOST_LISTED = 30
"""So many orders fit into a line that pipes and collectors take whole."""


def log_batch(
    log: FilteringBoundLogger, event: str, listed: Mapping[str, Sequence[object]], **facts: object
) -> None:
    """Log that this happened to all of these orders.

    `listed` has by the name of a field its value for each order. A long batch has several lines; in a line
    about one order the fields hold its values themselves.
    """
    number = max(map(len, listed.values()), default=0)
    for first in range(0, number, MOST_LISTED):
        last = min(first + MOST_LISTED, number)
        fields = {name: _part(values, first, last) for name, values in listed.items()}
        log.info(event, **facts, **({} if last - first == 1 else {"orders": last - first}), **fields)


def _part(values: Sequence[object], first: int, last: int) -> object:
    return values[first] if last - first == 1 else values[first:last]
