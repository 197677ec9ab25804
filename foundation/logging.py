"""Logs: one line for each entry on stderr, by the same processors for structlog and the standard library.

Code logs facts: `structlog.get_logger(__name__).info("order placed", order=…)`. Fields that a request or a
batch has bound with `structlog.contextvars` (trace_parent, user, order, group, topic, partition, offset) are
added. structlog writes its lines itself: the standard library's way is several times as slow (ADR 17). A line
that every request has goes past the processors where lines are JSON: `EcsLog`.
"""

import logging.config
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from select import PIPE_BUF
from typing import Any, TextIO

import structlog
from django.core.exceptions import ImproperlyConfigured
from structlog.types import EventDict, Processor, WrappedLogger

from foundation.console_line import ConsoleLine
from foundation.ecs_line import as_json, ecs_line, line_head, timestamp_now
from foundation.log_levels import LEVELS, LogLevels, read_levels

SECRET_NAMES = frozenset(
    {
        *("password", "token", "access", "refresh", "secret", "secret_key", "authorization", "api_key"),
        *("cookie", "payment_token", "stripe_signature"),
    }
)
PASSWORD_IN_URL = re.compile(r"(://[^\s:/@]*):[^\s/@]+@")
# What has been masked already is none. A search begins where a word begins: from each letter of a long line
# it would take longer than all the rest.
_WORD = r"""[^\s@"'<>()\[\],;:/=\\*]"""
MAIL_ADDRESS = re.compile(rf"(?<!{_WORD}){_WORD}++@[\w-]+(?:\.[\w-]+)+")
AFTER_TIMESTAMP = 3
"""A line of JSON begins with `{"@timestamp"`, which holds no mail address."""
TRACE_PARENT_LENGTH = 55
TRACE_ID = slice(3, 35)
"""Where it stands in a traceparent."""


def logging_config(log_format: str, levels: LogLevels | None = None) -> None:
    """Set up structlog and the standard library's logging; `log_format` is `console` or `json`."""
    stderr, levels = _stderr(), levels or read_levels(())
    processors = line_processors(log_format, coloured=stderr.isatty() and not os.environ.get("NO_COLOR"))
    structlog.configure(
        processors=processors,
        logger_factory=lambda *name: _LineLogger(stderr, *name),
        wrapper_class=_filtering(levels),
        cache_logger_on_first_use=True,
    )
    write_ecs_lines(log_format, levels)
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [structlog.stdlib.ExtraAdder()],
        "processors": processors,
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": formatter},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "stream": stderr}},
            "root": {"level": levels.general, "handlers": ["stderr"]},
            "loggers": {name: {"level": level} for name, level in levels.of_modules.items()},
        }
    )


def _filtering(levels: LogLevels) -> Any:
    """What structlog makes of a logger: below its level, its methods do nothing."""

    def bound_logger(logger: "_LineLogger", **how: Any) -> Any:
        class_of_level: Any = structlog.make_filtering_bound_logger(levels.level_of(logger.name))
        return class_of_level(logger, **how)

    return bound_logger


def log_uncaught_errors() -> None:
    """Make an error that ends this process, or one of its threads, a log line like others.

    A setting that cannot be used is one sentence.
    """
    sys.excepthook = lambda _, error, __: _log_uncaught("process failed", error)
    if threading.excepthook is threading.__excepthook__:  # pytest has one of its own, which fails the test
        threading.excepthook = lambda args: _log_uncaught(
            f"thread {args.thread.name if args.thread else 'without a name'} failed", args.exc_value
        )


def say_last_words(sentence: str) -> None:
    """Say why the process cannot start, before LOG_FORMAT has been checked: a line for people, or JSON."""
    if os.environ.get("LOG_FORMAT") == "json":
        logging_config("json")
        structlog.get_logger("stockbridge").critical(sentence)
    else:
        sys.stderr.write(f"stockbridge: {sentence}\n")


def _log_uncaught(event: str, error: BaseException | None) -> None:
    if isinstance(error, ImproperlyConfigured):
        say_last_words(str(error))
        return
    if not structlog.is_configured():
        logging_config("json" if os.environ.get("LOG_FORMAT") == "json" else "console")
    structlog.get_logger("stockbridge").critical(event, exc_info=error)


class _LineLogger(structlog.WriteLogger):
    """Writes lines to a file; a line that cannot be written (a full disk, a closed pipe) stops no work."""

    def __init__(self, file: TextIO, name: str = "root") -> None:
        super().__init__(file)
        self.name = name

    def msg(self, message: str) -> None:
        if _kept.lines is None:
            self.write(message)
        else:
            _kept.lines.append((self, message))

    def write(self, text: str) -> None:
        with suppress(OSError):
            super().msg(text)

    debug = info = warning = error = critical = msg


class _Kept(threading.local):
    """The lines of this thread that are written together; None while each is written at once."""

    lines: list[tuple[_LineLogger, str]] | None = None


_kept = _Kept()


@contextmanager
def lines_written_together() -> Iterator[None]:
    """Write the lines that this thread logs meanwhile at the end: one system call for many."""
    kept = _kept.lines = []
    try:
        yield
    finally:
        _kept.lines = None
        for text in _parts([line for _, line in kept]):
            kept[0][0].write(text)


def _parts(lines: Sequence[str]) -> Iterator[str]:
    """Whole lines, in parts that a pipe takes as one: processes that share it never mix their lines."""
    part: list[str] = []
    size = 0
    for line in lines:
        bytes_of_line = 1 + (len(line) if line.isascii() else len(line.encode(errors="replace")))
        if part and size + bytes_of_line > PIPE_BUF:
            yield "\n".join(part)
            part, size = [], 0
        part.append(line)
        size += bytes_of_line
    if part:
        yield "\n".join(part)


class EcsLog:
    """A logger that is given its fields by the schema's names, where lines are JSON.

    It takes half the time that the processors take. Its lines have these fields alone: nothing that is
    bound to the log, and no exception.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def is_used(self) -> bool:
        """Whether lines are JSON; where they are for people, structlog has to write them."""
        return _ecs.lines is not None

    def write(self, level: str, message: str, fields: Mapping[str, Any]) -> None:
        """Write the line if lines of this level are written."""
        if _ecs.lines and LEVELS[level] >= _ecs.levels.level_of(self._name):
            line = line_head(timestamp_now(), level, message)
            line["log.logger"] = self._name
            line |= fields
            _ecs.lines.msg(_masked(as_json(line)))


class _EcsLines:
    """Where such lines are written, and from which level on; nowhere where lines are for people."""

    lines: _LineLogger | None = None
    levels = read_levels(())


_ecs = _EcsLines()


def write_ecs_lines(log_format: str, levels: LogLevels) -> None:
    """Have each `EcsLog` write lines from now on if this format is `json`."""
    _ecs.levels = levels
    _ecs.lines = _LineLogger(_stderr()) if log_format == "json" else None


def line_processors(log_format: str, *, coloured: bool = False) -> list[Processor]:
    """What makes a line of an entry, whether it comes from structlog or from the standard library."""
    return [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        _without_record,
        structlog.contextvars.merge_contextvars,
        _timestamp,
        _trace_id,
        _without_secrets,
        *([_error_fields] if log_format == "json" else []),
        # Not the richer tracebacks of structlog: they print local variables, secrets among them.
        structlog.processors.format_exc_info,
        ecs_line if log_format == "json" else ConsoleLine(coloured=coloured),
        _without_passwords_and_addresses,
    ]


def _stderr() -> TextIO:
    """The process's stderr itself: `sys.stderr` may be another, closed file by the time of a later line."""
    return open(2, "w", encoding="utf-8", closefd=False)


def _without_record(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    """Removes what structlog adds to entries of the standard library."""
    if entry.pop("_record", None):
        del entry["_from_structlog"]
        entry.pop("color_message", None)  # uvicorn's second form of its message
    return entry


def _timestamp(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    entry["timestamp"] = timestamp_now()
    return entry


def _trace_id(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    """The trace id out of a W3C `trace_parent`, or out of several: what the lines of a request share."""
    trace_parent = entry.pop("trace_parent", "")
    if isinstance(trace_parent, list):
        entry["trace.id"] = [found for each in trace_parent if (found := trace_id_in(each))]
    elif found := trace_id_in(trace_parent):
        entry["trace.id"] = found
    return entry


def trace_id_in(trace_parent: str) -> str | None:
    """The trace id that the log shows of a traceparent; None where it is none."""
    return trace_parent[TRACE_ID] if len(trace_parent) == TRACE_PARENT_LENGTH else None


def _without_secrets(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    for name in entry.keys() & SECRET_NAMES:
        entry[name] = "***"
    return entry


def _without_passwords_and_addresses(_logger: WrappedLogger, _method: str, line: Any) -> str:
    return _masked(str(line))


def _masked(line: str) -> str:
    """The line without passwords in connection URLs, which error texts of others have, and mail addresses."""
    if line.find("@", AFTER_TIMESTAMP) >= 0:
        line = MAIL_ADDRESS.sub("***@***", PASSWORD_IN_URL.sub(r"\1:***@", line))
    return line


def _error_fields(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    error = entry.get("exc_info")
    if error is True:
        error = sys.exception()
    elif isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        entry["error.type"] = type(error).__qualname__
        entry["error.message"] = str(error)
    return entry
