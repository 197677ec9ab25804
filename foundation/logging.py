"""Logs: structlog, with the standard library's records through the same processors; one line each, on stderr.

Code logs facts: `structlog.get_logger(__name__).info("order placed", order=…)`. What a request or a batch has
bound with `structlog.contextvars` (trace_parent, user, order, group, topic, partition, offset) joins them.
"""

import logging.config
import os
import re
import sys
from typing import Any, TextIO

import msgspec
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

ECS_NAMES = {
    "timestamp": "@timestamp",
    "level": "log.level",
    "logger": "log.logger",
    "event": "message",
    "order": "order.id",
    "user": "user.id",
    "group": "kafka.group",
    "topic": "kafka.topic",
    "partition": "kafka.partition",
    "offset": "kafka.offset",
    "exception": "error.stack_trace",
}
SECRET_NAMES = frozenset(
    {"password", "token", "access", "refresh", "secret", "secret_key", "authorization", "api_key", "cookie"}
)
PASSWORD_IN_URL = re.compile(r"(://[^\s:/@]*):[^\s/@]+@")
TRACE_PARENT_PARTS = 4

_facts = structlog.processors.KeyValueRenderer(sort_keys=True)


def logging_config(log_format: str) -> None:
    """Set up structlog and the standard library's logging; `log_format` is `console` or `json`."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(_standard_library(log_format))


def direct_logger(name: str, log_format: str) -> Any:
    """A logger for what is logged most: past the standard library, with only what the line itself says.

    A line costs a fifth of what it does through the standard library's records. Secrets do not belong here.
    """
    return structlog.wrap_logger(
        structlog.WriteLogger(_stderr()),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _trace_id,
            *([_ecs_names, _to_json] if log_format == "json" else [_plain_line]),
            _without_passwords,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    ).bind(logger=name)


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _trace_id,
        _without_secrets,
    ]


def _standard_library(log_format: str) -> dict[str, Any]:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*_shared_processors(), structlog.stdlib.ExtraAdder()],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *_renderers(log_format),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "stream": _stderr()}},
        "root": {"level": "INFO", "handlers": ["stderr"]},
        "loggers": {
            "django.request": {"level": "ERROR"},  # the access line tells of 4xx already
            "daphne": {"level": "WARNING"},
        },
    }


def _stderr() -> TextIO:
    """The process's stderr itself: `sys.stderr` may be another, closed file by the time of a later line."""
    return open(2, "w", encoding="utf-8", closefd=False)


def _renderers(log_format: str) -> list[Processor]:
    if log_format == "console":
        # Rich tracebacks would print the frames' local variables, secrets among them.
        return [
            structlog.dev.ConsoleRenderer(
                colors=os.isatty(2), exception_formatter=structlog.dev.plain_traceback
            ),
            _without_passwords,
        ]
    return [_error_fields, structlog.processors.format_exc_info, _ecs_names, _to_json, _without_passwords]


def _plain_line(logger: WrappedLogger, method: str, entry: EventDict) -> str:
    """Much as structlog's ConsoleRenderer writes without colours, and faster; no value can break the line."""
    timestamp, level, name, event = (entry.pop(field) for field in ("timestamp", "level", "logger", "event"))
    return f"{timestamp} [{level:<9}] {event:<30} [{name}] {_facts(logger, method, entry)}"


def _trace_id(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    """The trace id out of a bound W3C `trace_parent`: what the lines of one request have in common."""
    parts = str(entry.pop("trace_parent", "")).split("-")
    if len(parts) == TRACE_PARENT_PARTS:
        entry["trace.id"] = parts[1]
    return entry


def _without_secrets(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    for name in entry.keys() & SECRET_NAMES:
        entry[name] = "***"
    return entry


def _without_passwords(_logger: WrappedLogger, _method: str, line: Any) -> str:
    """Connection URLs reach the log inside other people's error texts."""
    return PASSWORD_IN_URL.sub(r"\1:***@", line) if "://" in line else line


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


def _ecs_names(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    return {ECS_NAMES.get(name, name): value for name, value in entry.items()}


def _to_json(_logger: WrappedLogger, _method: str, entry: EventDict) -> str:
    return msgspec.json.encode(entry, enc_hook=repr).decode()
