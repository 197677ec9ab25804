"""The bounds that the server keeps its clients to."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of one web process; those that an installation may change are settings (docs/settings.md)."""

    head_seconds: float = 10
    """From the first byte of a request, or the start of a connection, to the end of the headers."""
    body_seconds: float = 30
    """From the end of the headers to the end of the body."""
    idle_seconds: float = 75
    """Between two requests; longer than proxies keep a connection (nginx: 60): they must close it first."""
    slow_seconds: float = 30
    """In which a client must read SLOWEST_READER_BYTES of what waits for it."""
    stuck_seconds: int = 120
    """Without an answer from any thread while all are at work: then the process ends."""
    connections_per_address: int = 512
    """0 where all connections come from a proxy, which limits them."""
    body_bytes: int = 1_000_000
    threads: int = 32
    """Threads share a commit (docs/adr/0012), so a single thread would gain nothing."""


CHECK_SECONDS = 0.5
"""How often connections are looked at for time that has run out."""
HEAD_BYTES = 64 * 1024
HEADERS = 100
BODIES_BYTES = 128 * 1024 * 1024
"""Of all bodies together that a process holds."""
CHUNKING_FACTOR = 8
"""A chunked body may take so many times its bytes on the wire: the size of each chunk is sent too."""
REQUESTS_AHEAD = 32
"""Requests of one connection that may wait for an earlier answer (pipelining): then no more are read."""
MOST_REQUESTS_AHEAD = 4 * REQUESTS_AHEAD
"""So many may have come with the last of these; a client that sends more at once is refused."""
REQUESTS_WAITING = 1_000
"""Requests that may wait for a thread."""
STREAMS = 32
"""Answers that are made while they are sent: each has a thread of its own."""
CONNECTIONS = 10_000
"""Of all addresses together, or fewer where the process may not open so many files."""
FILES_KEPT_FREE = 200
PATIENCE_SECONDS = 0.5
"""After which the server asks whether a request would be refused without its body."""
ON_ITS_WAY_SECONDS = 2.0
"""In which a server that ends waits for the first request of a connection, or for more of one."""
SLOWEST_READER_BYTES = 16 * 1024
LINGER_SECONDS = 2.0
"""In which a client that still sends can read why it was refused."""
LINGER_BYTES = 16 * 1024 * 1024
