"""Exporting spans by OpenTelemetry; imported only where spans are recorded."""

import atexit
import os
from collections.abc import Sequence

import structlog
from django.conf import settings
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from foundation.lasting_trouble import LastingTrouble
from foundation.version import VERSION

EXIT_MILLISECONDS = 2000
"""So long a process that ends waits at most until its last spans are exported."""

log = structlog.get_logger(__name__)


def collector_processor() -> SpanProcessor:
    """Exports spans as the standard OTEL_ variables say, and the last of them when the process ends."""
    processor = _Processor(CollectorExporter(OTLPSpanExporter()))
    atexit.register(processor.shutdown)
    return processor


def resource_of(process: str) -> Resource:
    """What is said of a process of this name with all of its spans."""
    attributes = {"service.namespace": "stockbridge", "service.version": VERSION}
    if not os.environ.get("OTEL_SERVICE_NAME"):
        attributes["service.name"] = f"stockbridge-{process}"
    return _OneResource(Resource.create(attributes))


class _OneResource(Resource):
    """The one resource of a process, known by itself.

    The exporter groups spans by their resource, and the hash of OpenTelemetry's is one of all its attributes
    as JSON, made anew for each span.
    """

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource.attributes, resource.schema_url)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


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
