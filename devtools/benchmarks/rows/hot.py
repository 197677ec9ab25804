"""The row `settle` on one product that sells out during the run."""

from collections.abc import Iterator

from devtools.benchmarks.figures import Options, Row
from devtools.benchmarks.rows.settle import SettleResult, runs


def measure(options: Options) -> Iterator[tuple[str, SettleResult]]:
    """One product, with pieces for three of four orders."""
    count = options.size(20_000, 1_000)
    for result in runs(options, count=count, products=1, stock=count * 3 // 4):
        yield f"{count:,} on one product, pieces for {count * 3 // 4:,}", result


ROW = Row("hot", "the same as settle, on one product that sells out", measure, runs=5)
