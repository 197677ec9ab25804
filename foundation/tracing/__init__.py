"""Tracing: a trace is all that one request, or one message of another program, has caused (docs/tracing.md).

Each request, message and event of the order log carries a W3C traceparent, always. Where
OTEL_EXPORTER_OTLP_ENDPOINT is set, the spans of some traces are recorded too, and exported by OpenTelemetry.
Whether a trace is recorded is decided at its first span; the sampled flag of its traceparents says it to all
that follow.
"""

from foundation.tracing.protocols import Span
from foundation.tracing.spans import (
    batch_span,
    begin_request,
    begin_span,
    begin_tracing,
    child_span,
    ended,
    in_span,
    is_recorded,
    is_tracing,
    recorded,
)
from foundation.tracing.trace_parent import TRACE_PARENT, trace_id, trace_parent_from

__all__ = [
    "TRACE_PARENT",
    "Span",
    "batch_span",
    "begin_request",
    "begin_span",
    "begin_tracing",
    "child_span",
    "ended",
    "in_span",
    "is_recorded",
    "is_tracing",
    "recorded",
    "trace_id",
    "trace_parent_from",
]
