"""A receiver of spans by OTLP over HTTP, which keeps them; OpenTelemetry's own types read them."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.local_server import LocalServer, Request

PATH = "/v1/traces"


@dataclass(frozen=True)
class ReceivedSpan:
    """A span; ids are hexadecimal, and the parent's is empty for the first span of a trace."""

    service: str
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    linked_traces: frozenset[str]
    attributes: dict[str, str]
    text: str
    """All of it."""


class OtlpReceiver(LocalServer):
    """Where processes export their spans to."""

    def __init__(self) -> None:
        super().__init__()
        self.spans: list[ReceivedSpan] = []
        self.agents: set[str] = set()
        """By what programs they were sent."""
        self.refuses = False
        """Whether spans are refused, and lost."""

    def of_trace(self, trace_id: str) -> list[ReceivedSpan]:
        """The spans of a trace."""
        return [span for span in list(self.spans) if span.trace_id == trace_id]

    def post(self, request: Request) -> None:
        body = request.body()
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        assert request.path == PATH
        if self.refuses:
            request.answer(status=HTTPStatus.BAD_REQUEST)
            return
        self.spans += spans_of(ExportTraceServiceRequest.FromString(body))
        self.agents.add(str(request.headers["User-Agent"]))
        request.answer(ExportTraceServiceResponse().SerializeToString(), kind="application/x-protobuf")


def spans_of(request: ExportTraceServiceRequest) -> Iterator[ReceivedSpan]:
    for of_resource in request.resource_spans:
        names = {each.key: each.value.string_value for each in of_resource.resource.attributes}
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                yield ReceivedSpan(
                    service=names.get("service.name", ""),
                    name=span.name,
                    kind=span.kind,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    linked_traces=frozenset(link.trace_id.hex() for link in span.links),
                    attributes={each.key: each.value.string_value for each in span.attributes},
                    text=str(span),
                )
