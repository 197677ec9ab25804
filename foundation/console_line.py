"""A log line for people: time, level, what happened, and its facts; in colour on a terminal."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from structlog.types import EventDict, WrappedLogger

from foundation.printable import printable_lines

EVENT_WIDTH = 34
LISTED = 3
"""So many values of a longer list are shown."""

_LEVELS = {"debug": "DEBUG", "info": "INFO ", "warning": "WARN ", "error": "ERROR", "critical": "FATAL"}
_COLOURS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}
_DIM = "\x1b[2m"
_USUAL = "\x1b[0m"
_RECORD = ("topic", "partition", "offset")
# What requests and batches bind stands behind the facts of the event itself.
_LAST = ("user", "order", "order_number", "group", *_RECORD, "trace.id")


class ConsoleLine:
    """Makes the line of an entry; no value can break it. Below it is the traceback, if there is one."""

    def __init__(self, *, coloured: bool) -> None:
        self._levels = {
            name: f"\x1b[{_COLOURS[name]}m{shown}{_USUAL}" if coloured else shown
            for name, shown in _LEVELS.items()
        }
        self._dim, self._usual = (_DIM, _USUAL) if coloured else ("", "")

    def __call__(self, _logger: WrappedLogger, _method: str, entry: EventDict) -> str:
        """The line, as a processor of structlog."""
        level, name, traceback = entry.pop("level"), entry.pop("logger"), entry.pop("exception", "")
        dim, usual = self._dim, self._usual
        time, event = _time(entry.pop("timestamp")), _event(entry.pop("event"), name, entry)
        facts = " ".join([f"{dim}{field}={usual}{text}" for field, text in _facts(entry)])
        # Lines of the ordinary course are short; of others one wants to know which code wrote them.
        origin = "" if level == "info" else f" {dim}({name}){usual}"
        line = f"{dim}{time}{usual} {self._levels[level]} {event:<{EVENT_WIDTH}} {facts}{origin}".rstrip()
        return f"{line}\n{printable_lines(traceback)}" if traceback else line


def _time(timestamp: str) -> str:
    """`2026-11-26 14:03:11.015`, from ISO 8601 with microseconds."""
    return f"{timestamp[:10]} {timestamp[11:23]}"


def _event(event: object, logger: str, entry: EventDict) -> str:
    """What happened; of a request what was asked for and how it was answered."""
    if logger == "access" and "path" in entry:
        asked = (entry.pop("method", ""), entry.pop("path"), entry.pop("status", ""))
        return " ".join([_value(part) for part in asked if part != ""])
    return event if isinstance(event, str) and event.isprintable() else repr(event)


def _facts(entry: EventDict) -> Iterator[tuple[str, str]]:
    """The facts of the event, then what was bound, then the record and the trace."""
    bound = {name: entry.pop(name) for name in _LAST if name in entry}
    for name, value in entry.items():
        if value is not None:
            yield name, _value(value)
    if bound.keys() >= {*_RECORD}:
        yield "record", "/".join(_value(bound.pop(name)) for name in _RECORD)
    if isinstance(bound.get("trace.id"), str):
        bound["trace"] = bound["trace.id"]
    bound.pop("trace.id", None)
    for name, value in bound.items():
        if value is not None:
            yield name, _value(value)


def _value(value: object) -> str:
    """A word as it is, the beginning of a list, anything else as Python writes it."""
    if isinstance(value, str):
        return value if value.isprintable() and " " not in value else repr(value)
    if isinstance(value, UUID):
        return str(value)
    return _listed(value) if isinstance(value, list | tuple) else repr(value)


def _listed(values: Sequence[object]) -> str:
    more = f",+{len(values) - LISTED}" if len(values) > LISTED else ""
    return ",".join(map(_value, values[:LISTED])) + more
