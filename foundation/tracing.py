"""W3C trace context: a request's trace goes on in its events and messages."""

import hashlib
import os
import re
from collections.abc import Mapping
from typing import Any

TRACE_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def trace_parent_of(headers: Mapping[str, Any]) -> str:
    """The request's W3C traceparent (`headers` as in WSGI), or one that starts a trace."""
    header = headers.get("HTTP_TRACEPARENT", "")
    if TRACE_PARENT.fullmatch(header):
        return str(header)
    random = os.urandom(24).hex()
    return f"00-{random[:32]}-{random[32:]}-01"


def trace_parent_from(event_id: str) -> str:
    """One that starts the trace of an event that no request has caused; always the same for this event."""
    digest = hashlib.blake2b(event_id.encode(errors="replace"), digest_size=24).hexdigest()
    return f"00-{digest[:32]}-{digest[32:]}-01"


def trace_id(trace_parent: str) -> str:
    """The part of a traceparent that all its spans have in common."""
    return trace_parent.split("-")[1]
