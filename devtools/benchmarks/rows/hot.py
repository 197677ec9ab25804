"""The same as `settle` on one product that is sold out on the way."""

from collections.abc import Iterator

from devtools.benchmarks.figures import Effort, Row
from devtools.benchmarks.rows.settle import SettleResult, runs


def measure(effort: Effort) -> Iterator[tuple[str, SettleResult]]:
    """One product, with pieces for three orders of four."""
    count = effort.size(20_000, 1_000)
    for result in runs(effort, count=count, products=1, stock=count * 3 // 4):
        yield f"{count:,} on one product, pieces for {count * 3 // 4:,}", result


ROW = Row("hot", "the same on one product that runs out", measure)
