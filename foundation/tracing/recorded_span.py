"""A span: plain values until its end, and then what OpenTelemetry exports.

OpenTelemetry's own span takes three times as long, most of it for what is not used here: locks, events,
limits of attributes (docs/adr/0045).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from foundation.tracing.protocols import Attributes, Kind
from foundation.version import VERSION

_KINDS: dict[Kind, SpanKind] = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "internal": SpanKind.INTERNAL,
}
_SCOPE = InstrumentationScope("stockbridge", VERSION)
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_UNSET = Status(StatusCode.UNSET)

current_trace_parent: ContextVar[str] = ContextVar("current_trace_parent", default="")
"""That of the span in whose `current` the code runs; empty if there is none."""


class Destination:
    """Where spans go when they end."""

    def __init__(self, processor: SpanProcessor, resource: Resource) -> None:
        self._processor, self._resource = processor, resource
        self._most_links = SpanLimits().max_links

    def take(self, span: "RecordedSpan", error: str) -> None:
        """Export the span, which ends now."""
        links: BoundedList[Link] = BoundedList(self._most_links)
        for each in span.links:
            links.append(Link(_context_of(each, is_remote=True)))
        self._processor.on_end(
            ReadableSpan(
                span.name,
                _context_of(span.trace_parent, is_remote=False),
                _context_of(span.parent, is_remote=True) if span.parent else None,
                self._resource,
                span.attributes,
                links=links,
                kind=_KINDS[span.kind],
                status=Status(StatusCode.ERROR, error) if error else _UNSET,
                start_time=span.start,
                end_time=time.time_ns(),
                instrumentation_scope=_SCOPE,
            )
        )


@dataclass(slots=True)
class RecordedSpan:
    """A span that is recorded; times are nanoseconds since 1970."""

    destination: Destination
    name: str
    trace_parent: str
    parent: str
    kind: Kind
    attributes: dict[str, str | int]
    links: list[str]
    start: int = field(default_factory=time.time_ns)

    def tell(self, attributes: Attributes, name: str = "") -> None:
        """Add what is known of the work by now; `name` replaces the span's name."""
        self.attributes |= attributes
        self.name = name or self.name

    def link(self, trace_parent: str) -> None:
        """Refer to a span of another trace, or to another one of this trace."""
        self.links.append(trace_parent)

    @contextmanager
    def current(self) -> Iterator[None]:
        """Within it, what this thread records belongs to this span."""
        token = current_trace_parent.set(self.trace_parent)
        try:
            yield
        finally:
            current_trace_parent.reset(token)

    def end(self, error: str = "") -> None:
        """Record the span; with an error it counts as failed."""
        self.destination.take(self, error)


def _context_of(trace_parent: str, *, is_remote: bool) -> SpanContext:
    return SpanContext(int(trace_parent[3:35], 16), int(trace_parent[36:52], 16), is_remote, _SAMPLED)
