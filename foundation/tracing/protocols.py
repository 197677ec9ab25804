"""What spans and recorders of spans offer to the code that uses them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Literal, Protocol

Kind = Literal["server", "client", "producer", "consumer", "internal"]
Attributes = Mapping[str, str | int]


class Span(Protocol):
    """A piece of work within a recorded trace, from its beginning to its end."""

    @property
    def trace_parent(self) -> str:
        """What is caused by this work carries it."""

    def tell(self, attributes: Attributes, name: str = "") -> None:
        """Add what is known of the work by now; `name` replaces the span's name."""

    def link(self, trace_parent: str) -> None:
        """Refer to a span of another trace, or to another one of this trace."""

    def current(self) -> AbstractContextManager[None]:
        """Within it, `child_span` and `batch_span` of this thread belong to this span."""

    def end(self, error: str = "") -> None:
        """Record the span; with an error it counts as failed. A span that is not ended is not recorded."""


class Recorder(Protocol):
    """Records spans: `recorder.py`."""

    def begin_request(self, caller: str) -> tuple[str, Span | None]:
        """The traceparent of a request, and its span if it is recorded; `caller` is what the client sent."""

    def begin_span(
        self, name: str, trace_parent: str, kind: Kind, attributes: Attributes, links: Sequence[str] = ()
    ) -> Span:
        """Begin a span; without a `trace_parent` the first one of a trace."""

    def current_trace_parent(self) -> str:
        """That of the span in whose `current` this thread is; empty if there is none."""
