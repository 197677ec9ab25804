"""Which spans are recorded, and their places in traces; imported only where spans are recorded."""

from collections.abc import Sequence

from django.conf import settings
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

from foundation.tracing.exporting import collector_processor, resource_of
from foundation.tracing.protocols import Attributes, Kind
from foundation.tracing.recorded_span import Destination, RecordedSpan, current_trace_parent
from foundation.tracing.trace_parent import (
    is_sampled,
    new_trace_parent,
    part_of,
    trace_id,
    with_sampled_flag,
    without_sampled_flag,
)

PARENT_BASED = "parentbased_"


def recorder_of(process: str) -> "Recorder":
    """The recorder for a process of this name, which exports as the standard OTEL_ variables say."""
    return Recorder(
        collector_processor(),
        resource_of(process),
        sampler=settings.OTEL_TRACES_SAMPLER,
        share=settings.OTEL_TRACES_SAMPLER_ARG,
    )


class Recorder:
    """Begins spans, and decides of requests whether their traces are recorded."""

    def __init__(self, processor: SpanProcessor, resource: Resource, *, sampler: str, share: float) -> None:
        self._destination = Destination(processor, resource)
        self._follows_caller = sampler.startswith(PARENT_BASED)
        shares = {"always_on": 1.0, "always_off": 0.0, "traceidratio": share}
        # Compared here as the sampler does, whose method takes ten times as long, for every request.
        self._bound = TraceIdRatioBased(shares[sampler.removeprefix(PARENT_BASED)]).bound

    def begin_request(self, caller: str) -> tuple[str, RecordedSpan | None]:
        """The traceparent of a request, and its span if it is recorded; `caller` is what the client sent."""
        own = new_trace_parent()
        if not self._decide(own, caller):
            return without_sampled_flag(caller) if caller else own, None
        trace_parent = part_of(caller) if caller else with_sampled_flag(own)
        return trace_parent, RecordedSpan(
            self._destination, "request", trace_parent, caller, "server", {}, []
        )

    def begin_span(
        self, name: str, trace_parent: str, kind: Kind, attributes: Attributes, links: Sequence[str] = ()
    ) -> RecordedSpan:
        """Begin a span; without a `trace_parent` the first one of a trace."""
        own = part_of(trace_parent) if trace_parent else with_sampled_flag(new_trace_parent())
        return RecordedSpan(self._destination, name, own, trace_parent, kind, {**attributes}, [*links])

    def current_trace_parent(self) -> str:
        """That of the span in whose `current` this thread is; empty if there is none."""
        return current_trace_parent.get()

    def _decide(self, own: str, caller: str) -> bool:
        """Whether a request is recorded, by a trace id of ours: the caller could choose one that is."""
        if caller and self._follows_caller:
            return is_sampled(caller)
        return int(trace_id(own), 16) & TraceIdRatioBased.TRACE_ID_LIMIT < self._bound
