"""Recording spans, where there is something that records them: without it, all of this does nothing.

OpenTelemetry is imported by `begin_tracing` alone, and only where OTEL_EXPORTER_OTLP_ENDPOINT is set.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

from django.conf import settings

from foundation.tracing.protocols import Attributes, Kind, Recorder, Span
from foundation.tracing.trace_parent import TRACE_PARENT, is_sampled, new_trace_parent

Result = TypeVar("Result")

_recorder: Recorder | None = None


def begin_tracing(process: str) -> None:
    """Record spans of this process from now on, if OTEL_EXPORTER_OTLP_ENDPOINT is set."""
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        # Imported here: it takes time and memory, which nobody without tracing should spend.
        from foundation.tracing.recorder import recorder_of  # noqa: PLC0415

        record_with(recorder_of(process))


def record_with(recorder: Recorder | None) -> None:
    """Record spans by this recorder from now on; None: no longer."""
    global _recorder  # noqa: PLW0603 - one for the process, set at its start
    _recorder = recorder


def is_tracing() -> bool:
    """Whether this process records spans."""
    return _recorder is not None


def is_recorded(trace_parent: str) -> bool:
    """Whether this process records spans of that trace."""
    return _recorder is not None and is_sampled(trace_parent)


def recorded(trace_parents: Iterable[str]) -> list[str]:
    """Those of these traceparents whose traces this process records."""
    return [] if _recorder is None else list(filter(is_sampled, trace_parents))


def begin_request(headers: Mapping[str, Any]) -> tuple[str, Span | None]:
    """The traceparent of a request (`headers` as in WSGI), and its span where that is recorded.

    The trace of a valid traceparent header goes on; any other request starts one.
    """
    header = str(headers.get("HTTP_TRACEPARENT", ""))
    caller = header if TRACE_PARENT.fullmatch(header) else ""
    if _recorder is None:
        return caller or new_trace_parent(), None
    return _recorder.begin_request(caller)


def begin_span(name: str, trace_parent: str, kind: Kind, attributes: Attributes) -> Span:
    """Begin a span that `trace_parent` has caused; only where `is_recorded` says that it is recorded.

    It refers to the batch in which it is done, if there is one.
    """
    assert _recorder, "the trace is recorded"
    batch = _recorder.current_trace_parent()
    return _recorder.begin_span(name, trace_parent, kind, attributes, [batch] if batch else ())


@contextmanager
def batch_span(
    name: str, trace_parents: Iterable[str], *, member: str = "", size: int = 0
) -> Iterator[Span | None]:
    """Record what is done for several traces together; None where none of them is recorded.

    The span is the first of a trace of its own, and refers to all that it is for. With `member`, a span of
    that name within each of these traces lasts as long, and refers to the batch.
    """
    found = recorded(trace_parents)
    if not found or _recorder is None:
        yield None
        return
    members = [_recorder.begin_span(member, each, "internal", {}) for each in found] if member else []
    links = [each.trace_parent for each in members] or found
    batch = _recorder.begin_span(name, "", "internal", {"batch.size": size}, links)
    for each in members:
        each.link(batch.trace_parent)
    with ended(batch, *members), batch.current():
        yield batch


def child_span(name: str, kind: Kind = "client") -> AbstractContextManager[object]:
    """Record a part of the work of the current span; does nothing where there is none."""
    parent = _recorder.current_trace_parent() if _recorder else ""
    if not parent or _recorder is None:
        return nullcontext()
    return ended(_recorder.begin_span(name, parent, kind, {}))


def in_span(name: str, trace_parent: str, call: Callable[[], Result]) -> Callable[[], Result]:
    """`call`, recorded as a span of that trace when it is called, in whichever thread; or `call` itself."""
    if not is_recorded(trace_parent):
        return call

    def recorded_call() -> Result:
        with ended(begin_span(name, trace_parent, "client", {})):
            return call()

    return recorded_call


@contextmanager
def ended(*spans: Span) -> Iterator[None]:
    """End these spans, as failed where an exception ends the work."""
    try:
        yield
    except BaseException as error:
        _end(spans, type(error).__qualname__)
        raise
    _end(spans)


def _end(spans: Iterable[Span], error: str = "") -> None:
    for span in spans:
        span.end(error)
