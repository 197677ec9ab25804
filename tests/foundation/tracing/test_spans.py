"""Spans of recorded traces; nothing at all of the others."""

from threading import Thread
from typing import Any

import pytest
from opentelemetry.trace import StatusCode
from pytest_django import Settings

from foundation import tracing
from tests.python_process import run_python
from tests.recorded_spans import Recorded, as_trace_parent, ids, linked, recorded

__all__ = ["recorded"]

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SAMPLED = f"00-{TRACE_ID}-b7ad6b7169203331-01"
NOT_SAMPLED = f"00-{TRACE_ID}-b7ad6b7169203331-00"
OTHER = f"00-{'1' * 32}-{'2' * 16}-01"
EVERYTHING = """
import sys
import django
django.setup()
import config.urls, kafka_workers.consumers.email, kafka_workers.consumers.orders, web.fast_path
from foundation.tracing import begin_tracing
begin_tracing("web")
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""


def request(trace_parent: str = "") -> tuple[str, tracing.Span | None]:
    return tracing.begin_request({"HTTP_TRACEPARENT": trace_parent} if trace_parent else {})


def test_without_a_collector_opentelemetry_is_not_even_imported() -> None:
    done = run_python(
        "-c", EVERYTHING, DJANGO_SETTINGS_MODULE="config.settings", OTEL_EXPORTER_OTLP_ENDPOINT=""
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_without_a_recorder_nothing_is_recorded_and_traces_go_on() -> None:
    assert request(SAMPLED) == (SAMPLED, None)
    started, span = request()
    assert (started[-3:], span) == ("-00", None)
    assert not tracing.is_recorded(SAMPLED)
    with tracing.batch_span("batch", [SAMPLED]) as batch, tracing.child_span("child"):
        assert batch is None


def test_a_request_is_the_first_span_of_its_trace(recorded: Recorded) -> None:
    trace_parent, span = request()
    assert span
    assert trace_parent == span.trace_parent
    span.tell({"http.response.status_code": 201}, name="POST orders")
    span.end()
    found = recorded["POST orders"]
    assert ids(found) == (trace_parent[3:35], trace_parent[36:52])
    assert found.parent is None
    assert dict(found.attributes or {}) == {"http.response.status_code": 201}


def test_a_request_within_a_trace_is_a_part_of_it(recorded: Recorded) -> None:
    trace_parent, span = request(SAMPLED)
    assert span
    span.end()
    found = recorded["request"]
    assert found.parent
    assert (ids(found)[0], f"{found.parent.span_id:016x}") == (TRACE_ID, SAMPLED[36:52])
    assert trace_parent == f"00-{TRACE_ID}-{ids(found)[1]}-01"


@pytest.mark.parametrize(
    ("sampler", "caller", "is_recorded"),
    [
        ("parentbased_always_on", "", True),
        ("parentbased_always_on", NOT_SAMPLED, False),
        ("parentbased_always_off", "", False),
        ("parentbased_always_off", SAMPLED, True),
        ("always_on", NOT_SAMPLED, True),
        ("always_off", SAMPLED, False),
    ],
)
def test_the_sampler_decides_at_the_first_span(
    recorded: Recorded, sampler: str, caller: str, is_recorded: bool
) -> None:
    recorded.begin(sampler)
    trace_parent, span = request(caller)
    assert (span is not None, tracing.is_recorded(trace_parent)) == (is_recorded, is_recorded)
    assert trace_parent[-2:] == ("01" if is_recorded else "00")
    assert not caller or tracing.trace_id(trace_parent) == TRACE_ID


def test_of_one_percent_about_one_in_a_hundred_is_recorded(recorded: Recorded) -> None:
    recorded.begin("parentbased_traceidratio", 0.01)
    found = [trace_parent for trace_parent, span in (request() for _ in range(20_000)) if span]
    assert 100 < len(found) < 300
    assert all(tracing.is_recorded(each) for each in found)
    # By the trace's id, so that other systems that record this share record the same traces.
    assert all(int(each[19:35], 16) < 0.01 * 2**64 for each in found)


def test_by_default_no_caller_can_have_itself_recorded(recorded: Recorded, settings: Settings) -> None:
    recorded.begin(settings.OTEL_TRACES_SAMPLER, 0.01)
    # A trace of this id is always among those that a share by ids records.
    chosen = f"00-{1:016x}{0:016x}-b7ad6b7169203331-01"
    begun = [request(chosen) for _ in range(2000)]
    assert sum(span is not None for _, span in begun) < 100
    assert {tracing.trace_id(trace_parent) for trace_parent, _ in begun} == {tracing.trace_id(chosen)}


def test_the_id_of_a_request_is_never_that_of_a_later_batch(recorded: Recorded) -> None:
    trace_parent, _ = request(SAMPLED)
    with tracing.batch_span("batch", [trace_parent]):
        pass
    assert ids(recorded["batch"])[0] != TRACE_ID


def test_a_batch_is_a_trace_of_its_own_with_links_to_and_from_its_members(recorded: Recorded) -> None:
    with tracing.batch_span("batch", [SAMPLED, NOT_SAMPLED, OTHER], member="member", size=3):
        pass
    batch = recorded["batch"]
    members = [span for span in recorded.spans if span.name == "member"]
    assert {ids(member)[0] for member in members} == {TRACE_ID, "1" * 32}
    assert ids(batch)[0] not in {TRACE_ID, "1" * 32}
    assert linked(batch) == {as_trace_parent(member) for member in members}
    assert [linked(member) for member in members] == [{as_trace_parent(batch)}] * 2
    assert dict(batch.attributes or {}) == {"batch.size": 3}


def test_a_batch_without_a_recorded_trace_is_not_recorded(recorded: Recorded) -> None:
    with tracing.batch_span("batch", [NOT_SAMPLED]) as batch:
        assert batch is None
    assert recorded.spans == ()


def test_a_child_span_belongs_to_the_span_in_which_it_is_done(recorded: Recorded) -> None:
    span = tracing.begin_span("message", SAMPLED, "consumer", {})
    with span.current(), tracing.child_span("send mail"):
        pass
    with tracing.child_span("outside"):
        pass
    span.end()
    assert {each.name for each in recorded.spans} == {"message", "send mail"}
    parent = recorded["send mail"].parent
    assert parent
    assert f"{parent.span_id:016x}" == ids(recorded["message"])[1]


def test_a_call_in_another_thread_is_a_span_of_its_trace(recorded: Recorded) -> None:
    def call() -> int:
        return 1

    assert tracing.in_span("call", NOT_SAMPLED, call) is call
    thread = Thread(target=tracing.in_span("call", SAMPLED, call))
    thread.start()
    thread.join()
    assert ids(recorded["call"])[0] == TRACE_ID


def test_work_that_fails_is_a_failed_span_without_the_text_of_the_error(recorded: Recorded) -> None:
    def fail() -> Any:
        raise ValueError("alice@example.com")

    with pytest.raises(ValueError, match="alice"):
        tracing.in_span("call", SAMPLED, fail)()
    found = recorded["call"]
    assert (found.status.status_code, found.status.description) == (StatusCode.ERROR, "ValueError")
    assert "alice" not in found.to_json()


def test_of_very_many_links_the_newest_are_exported_and_the_others_counted(recorded: Recorded) -> None:
    span = tracing.begin_span("message", SAMPLED, "consumer", {})
    for number in range(1, 201):
        span.link(f"00-{'1' * 32}-{number:016x}-01")
    span.end()
    found = recorded["message"]
    assert [link.context.span_id for link in found.links] == list(range(73, 201))
    assert found.dropped_links == 72
