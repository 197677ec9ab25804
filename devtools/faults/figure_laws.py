"""The law about analytics: its rows say of each order what the order's own row and events say."""

from collections.abc import Iterator

from devtools.faults.evidence import Evidence
from devtools.faults.violation import Violation


def figures_equal_the_orders(evidence: Evidence) -> Iterator[Violation]:
    """Analytics has each order once, as its row and its events tell."""
    for order_id, expected, known in evidence.differing_figures:
        yield Violation("drift", order_id, f"analytics has {known}, but the order is {expected}")


FIGURE_LAWS = (figures_equal_the_orders,)
