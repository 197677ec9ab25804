"""Exemplars: of an observation in a histogram, the trace that it is from.

Prometheus keeps one for a bucket, and a dashboard leads from a slow observation to its trace.
"""

import os

Exemplar = dict[str, str]

# The client library keeps them in memory alone: processes that share a directory have none.
_ARE_KEPT = not os.environ.get("PROMETHEUS_MULTIPROC_DIR")
_RECORDED = "-01"
"""The end of a W3C traceparent whose trace is recorded."""
_TRACE_ID = slice(3, 35)


def exemplar(trace_parent: str) -> Exemplar | None:
    """What to give to `observe` for an observation of this trace; None where nobody could look at it."""
    if _ARE_KEPT and trace_parent.endswith(_RECORDED):
        return {"trace_id": trace_parent[_TRACE_ID]}
    return None
