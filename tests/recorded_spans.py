"""The spans that this process records, kept in memory instead of exported."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from foundation.tracing.recorder import Recorder
from foundation.tracing.spans import record_with


class Recorded:
    """The spans that are recorded and ended."""

    def __init__(self) -> None:
        self._memory = InMemorySpanExporter()

    def begin(self, sampler: str = "parentbased_always_on", share: float = 1.0) -> None:
        """Records by this sampler from now on."""
        processor = SimpleSpanProcessor(self._memory)
        record_with(Recorder(processor, Resource({}), sampler=sampler, share=share))

    def __getitem__(self, name: str) -> ReadableSpan:
        [span] = [span for span in self.spans if span.name == name]
        return span

    def named(self, beginning: str) -> list[ReadableSpan]:
        """The spans whose names begin so."""
        return [span for span in self.spans if span.name.startswith(beginning)]

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._memory.get_finished_spans()


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    recorded = Recorded()
    recorded.begin()
    yield recorded
    record_with(None)


def ids(span: ReadableSpan) -> tuple[str, str]:
    """Of its trace, and its own."""
    context = span.get_span_context()
    assert context
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def as_trace_parent(span: ReadableSpan) -> str:
    return f"00-{'-'.join(ids(span))}-01"


def linked(span: ReadableSpan) -> set[str]:
    return {f"00-{link.context.trace_id:032x}-{link.context.span_id:016x}-01" for link in span.links}
