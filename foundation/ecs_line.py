"""A log line for collectors: JSON with the field names of the Elastic Common Schema.

What has no field there stands below `labels`. Fields about orders and Kafka have a name of their own, as the
schema wants it for what it does not know.
"""

import json
import os
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from structlog.types import EventDict, WrappedLogger

from foundation.printable import printable_json

ECS_VERSION = "8.11.0"
SERVICE = "stockbridge"
NANOSECONDS = 1_000_000
"""In a millisecond."""


class _Names(dict[str, str]):
    """The schema's name of each field; names with a dot are of the schema already."""

    def __missing__(self, name: str) -> str:
        self[name] = name if "." in name else f"labels.{name}"
        return self[name]


ECS_NAMES = _Names(
    {
        "logger": "log.logger",
        "order": "order.id",
        "order_id": "order.id",
        "order_number": "order.number",
        "user": "user.id",
        "group": "kafka.group",
        "topic": "kafka.topic",
        "partition": "kafka.partition",
        "offset": "kafka.offset",
        "error": "error.message",
        "exception": "error.stack_trace",
        "reason": "event.reason",
        "event_id": "event.id",
    }
)


_STORED = (str, int, float, list, tuple)
"""Types of values that have the same mapping in every line; an object would be another one's text."""


_encode = msgspec.json.Encoder(enc_hook=repr).encode


class _Process:
    name = SERVICE


def name_process(name: str) -> None:
    """Have the lines of this process say that it is of this worker, or `web` or `sockets`."""
    _Process.name = name


def ecs_line(_logger: WrappedLogger, _method: str, entry: EventDict) -> str:
    """The entry as one line of JSON, in the order in which people look for the fields."""
    line: dict[str, Any] = line_head(entry.pop("timestamp"), entry.pop("level"), str(entry.pop("event")))
    if (ms := entry.pop("ms", None)) is not None:
        line["event.duration"] = round(ms * NANOSECONDS)
    for name, value in entry.items():
        if value is not None:
            line[ECS_NAMES[name]] = value if isinstance(value, _STORED) else str(value)
    return as_json(line)


def line_head(timestamp: str, level: str, message: str) -> dict[str, Any]:
    """The fields with which every line begins."""
    return {
        "@timestamp": timestamp,
        "log.level": level,
        "message": message,
        "ecs.version": ECS_VERSION,
        "service.name": SERVICE,
        "process.name": _Process.name,
        "process.pid": os.getpid(),
    }


def as_json(line: Mapping[str, Any]) -> str:
    """The fields as JSON, without characters that steer a terminal."""
    try:
        return printable_json(_encode(line).decode())
    except UnicodeEncodeError:  # half of a surrogate pair, which UTF-8 cannot encode and an escape can
        return json.dumps(msgspec.to_builtins(line, enc_hook=repr))


def timestamp_now() -> str:
    """The time now in UTC, as ISO 8601 with microseconds."""
    second, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return f"{_text_of(second)}.{nanoseconds // 1000:06d}Z"


@lru_cache(maxsize=1)  # Many lines are logged within one second.
def _text_of(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
