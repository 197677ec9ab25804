"""Recording and exporting spans by OpenTelemetry; imported only where spans are recorded."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
from django.conf import settings
from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

from foundation.lasting_trouble import LastingTrouble
from foundation.tracing.protocols import Attributes, Kind
from foundation.tracing.trace_parent import is_sampled, new_trace_parent, trace_id, without_sampled_flag
from foundation.version import VERSION

EXIT_MILLISECONDS = 2000
"""So long a process that ends waits at most until its last spans are exported."""
PARENT_BASED = "parentbased_"

log = structlog.get_logger(__name__)


def recorder_of(process: str) -> "Recorder":
    """The recorder for a process of this name, which exports as the standard OTEL_ variables say."""
    resource = {"service.namespace": "stockbridge", "service.version": VERSION}
    if not os.environ.get("OTEL_SERVICE_NAME"):
        resource["service.name"] = f"stockbridge-{process}"
    return Recorder(
        _Processor(CollectorExporter(OTLPSpanExporter())),
        Resource.create(resource),
        sampler=settings.OTEL_TRACES_SAMPLER,
        share=settings.OTEL_TRACES_SAMPLER_ARG,
    )


class Recorder:
    """Begins spans, and decides of requests whether their traces are recorded."""

    def __init__(self, processor: SpanProcessor, resource: Resource, *, sampler: str, share: float) -> None:
        self._ids = _Ids()
        # Of what is begun here it is decided already that it is recorded.
        provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, id_generator=self._ids)
        provider.add_span_processor(processor)
        self._tracer = provider.get_tracer("stockbridge", VERSION)
        self._follows_caller = sampler.startswith(PARENT_BASED)
        shares = {"always_on": 1.0, "always_off": 0.0, "traceidratio": share}
        # Compared here as the sampler does, whose method takes ten times as long, for every request.
        self._bound = TraceIdRatioBased(shares[sampler.removeprefix(PARENT_BASED)]).bound

    def begin_request(self, caller: str) -> "tuple[str, RecordedSpan | None]":
        """The traceparent of a request, and its span if it is recorded; `caller` is what the client sent."""
        own = new_trace_parent()
        own_id = int(trace_id(own), 16)
        if not self._decide(own_id, caller):
            return without_sampled_flag(caller) if caller else own, None
        if not caller:
            self._ids.given.trace_id = own_id
        span = self.begin_span("request", caller, "server", {})
        return span.trace_parent, span

    def begin_span(
        self, name: str, trace_parent: str, kind: Kind, attributes: Attributes, links: Sequence[str] = ()
    ) -> "RecordedSpan":
        """Begin a span; without a `trace_parent` the first one of a trace."""
        span = self._tracer.start_span(
            name,
            context=_context_of(trace_parent),
            kind=SpanKind[kind.upper()],
            attributes=attributes,
            links=[Link(_span_context(each)) for each in links],
        )
        return RecordedSpan(span)

    def current_trace_parent(self) -> str:
        """That of the span in whose `current` this thread is; empty if there is none."""
        context = trace.get_current_span().get_span_context()
        return _trace_parent_of(context) if context.is_valid else ""

    def _decide(self, own_id: int, caller: str) -> bool:
        """Whether a request is recorded, by a trace id of ours: the caller could choose one that is."""
        if caller and self._follows_caller:
            return is_sampled(caller)
        return own_id & TraceIdRatioBased.TRACE_ID_LIMIT < self._bound


class RecordedSpan:
    """A span of OpenTelemetry."""

    __slots__ = ("_span", "trace_parent")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self.trace_parent = _trace_parent_of(span.get_span_context())

    def tell(self, attributes: Attributes, name: str = "") -> None:
        """Add what is known of the work by now; `name` replaces the span's name."""
        self._span.set_attributes(attributes)
        if name:
            self._span.update_name(name)

    def link(self, trace_parent: str) -> None:
        """Refer to a span of another trace, or to another one of this trace."""
        self._span.add_link(_span_context(trace_parent))

    @contextmanager
    def current(self) -> Iterator[None]:
        """Within it, what this thread records belongs to this span."""
        token = attach(trace.set_span_in_context(self._span))
        try:
            yield
        finally:
            detach(token)

    def end(self, error: str = "") -> None:
        """Record the span; with an error it counts as failed."""
        if error:
            self._span.set_status(Status(StatusCode.ERROR, error))
        self._span.end()


class _Given(threading.local):
    trace_id = 0


class _Ids(RandomIdGenerator):
    """Random ids; a trace that is to be recorded gets the id by which that was decided."""

    def __init__(self) -> None:
        self.given = _Given()

    def generate_trace_id(self) -> int:
        """The given id, once; else a random one."""
        given, self.given.trace_id = self.given.trace_id, 0
        return given or super().generate_trace_id()


class _Processor(BatchSpanProcessor):
    """Exports spans in batches, from a thread and a queue of bounded length."""

    def shutdown(self) -> None:
        """Export what is left. OpenTelemetry itself would keep a process that ends for half a minute."""
        self._batch_processor.shutdown(timeout_millis=EXIT_MILLISECONDS)


class CollectorExporter(SpanExporter):
    """Exports spans; logs the beginning and the end of an outage of the collector, and how many are lost."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._trouble = LastingTrouble(log, begins="spans are not exported", ends="spans are exported again")
        self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export these spans, or lose them: nothing waits for a collector."""
        result = self._exporter.export(spans)
        if result is SpanExportResult.FAILURE:
            self._trouble.meet(endpoint=settings.OTEL_EXPORTER_OTLP_ENDPOINT)
            self._lost += len(spans)
        else:
            self._trouble.end(lost=self._lost)
            self._lost = 0
        return result

    def shutdown(self) -> None:
        """Stop trying."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Nothing is kept here."""
        return True


def _context_of(trace_parent: str) -> Context:
    if not trace_parent:
        return Context()
    return trace.set_span_in_context(NonRecordingSpan(_span_context(trace_parent)), Context())


def _span_context(trace_parent: str) -> SpanContext:
    _, trace_id, span_id, _ = trace_parent.split("-")
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=flags)


def _trace_parent_of(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-01"
