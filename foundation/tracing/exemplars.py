"""Exemplars: of an observation in a histogram, the trace that it is from.

Prometheus keeps one for a bucket, and a dashboard leads from a slow observation to its trace.
"""

import os
from collections.abc import Iterable

from foundation.metrics.batch_histogram import BatchHistogram
from foundation.tracing.trace_parent import is_sampled, trace_id

Exemplar = dict[str, str]

# The client library keeps them in memory alone: processes that share a directory have none.
_ARE_KEPT = not os.environ.get("PROMETHEUS_MULTIPROC_DIR")


def observe_all(histogram: BatchHistogram, observations: Iterable[tuple[float, str]]) -> None:
    """Observe amounts, each with the traceparent of its trace, together as far as they have no exemplar."""
    together: list[float] = []
    for amount, trace_parent in observations:
        if found := exemplar(trace_parent):
            histogram.observe(amount, found)
        else:
            together.append(amount)
    if together:
        histogram.observe_all(together)


def exemplar(trace_parent: str) -> Exemplar | None:
    """What to give to `observe` for an observation of this trace; None where nobody could look at it."""
    if _ARE_KEPT and is_sampled(trace_parent):
        return {"trace_id": trace_id(trace_parent)}
    return None
