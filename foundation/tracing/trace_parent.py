"""W3C trace context: the traceparent by which requests, events and messages belong to a trace."""

import hashlib
import os
import re

TRACE_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_SAMPLED = frozenset("13579bdf")


def new_trace_parent() -> str:
    """One that starts a trace of which nothing is recorded."""
    random = os.urandom(24).hex()
    return f"00-{random[:32]}-{random[32:]}-00"


def trace_parent_from(event_id: str) -> str:
    """One that starts the trace of an event that no request has caused; always the same for this event.

    Nothing is recorded of it: there is no first span.
    """
    digest = hashlib.blake2b(event_id.encode(errors="replace"), digest_size=24).hexdigest()
    return f"00-{digest[:32]}-{digest[32:]}-00"


def part_of(trace_parent: str) -> str:
    """That of a new span within the same trace, which is recorded."""
    return f"00-{trace_id(trace_parent)}-{os.urandom(8).hex()}-01"


def trace_id(trace_parent: str) -> str:
    """The part of a traceparent that all its spans have in common."""
    return trace_parent.split("-")[1]


def is_sampled(trace_parent: str) -> bool:
    """Whether the flag is set which says that the trace is recorded."""
    return trace_parent[-1:] in _SAMPLED


def with_sampled_flag(trace_parent: str) -> str:
    """The same traceparent, of a trace that is recorded."""
    return f"{trace_parent[:-2]}01"


def without_sampled_flag(trace_parent: str) -> str:
    """The same traceparent of a trace that is not recorded from here on."""
    flags = int(trace_parent[-2:], 16) & ~1
    return f"{trace_parent[:-2]}{flags:02x}"
