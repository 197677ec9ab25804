"""Spans reach a collector, and a collector that is away holds up nobody."""

import socket
import time

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from pytest_django import Settings
from structlog.types import EventDict

from foundation import tracing
from foundation.tracing.exporting import CollectorExporter
from tests.otlp_receiver import OtlpReceiver
from tests.python_process import run_python
from tests.recorded_spans import Recorded, recorded

__all__ = ["recorded"]

ENDS = """
import time
import django
django.setup()
from foundation.tracing import begin_request, begin_tracing
begin_tracing("web")
_, span = begin_request({})
span.end()
print(time.time())
"""


def test_a_process_that_ends_exports_its_last_spans_under_its_name() -> None:
    with OtlpReceiver() as receiver:
        run_ending_process(receiver.url)
    [span] = receiver.spans
    assert (span.service, span.name) == ("stockbridge-web", "request")


def test_a_process_that_ends_does_not_wait_for_a_collector_that_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began_to_end = run_ending_process(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert time.time() - began_to_end < 8, "OpenTelemetry alone would wait for 10 s and more"


def run_ending_process(endpoint: str) -> float:
    """The time at which it had nothing left to do."""
    done = run_python(
        "-c",
        ENDS,
        DJANGO_SETTINGS_MODULE="config.settings",
        OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
        OTEL_TRACES_SAMPLER="always_on",
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def test_an_outage_of_the_collector_is_told_once_and_its_end_with_what_is_lost(
    recorded: Recorded, settings: Settings, monkeypatch: pytest.MonkeyPatch, captured_log: list[EventDict]
) -> None:
    _, span = tracing.begin_request({})
    assert span
    span.end()
    with OtlpReceiver() as receiver:
        settings.OTEL_EXPORTER_OTLP_ENDPOINT = receiver.url
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        exporter = CollectorExporter(OTLPSpanExporter())
        for receiver.refuses in (True, True, False, False):
            exporter.export(recorded.spans)
    assert [(entry["event"], entry.get("lost")) for entry in captured_log] == [
        ("spans are not exported", None),
        ("spans are exported again", 2),
    ]
    assert len(receiver.spans) == 2
