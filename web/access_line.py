"""The access line: of each request, what was asked for and how it was answered."""

from dataclasses import dataclass
from typing import Any

import structlog

from foundation.ecs_line import ACCESS_NAMES, NANOSECONDS
from foundation.logging import EcsLog, trace_id_in
from web.log_fields import LogFields

log = structlog.get_logger("access")
ecs_log = EcsLog("access")

WATCHING = frozenset({"/health/live", "/health/ready", "/metrics"})
"""Programs ask for these every few seconds; that they were answered is no news."""


@dataclass(slots=True)
class Access:
    """One request and its answer."""

    method: str | None
    path: str
    status: int
    ms: float
    user: str | None
    trace_parent: str
    fields: LogFields

    def log(self, level: str) -> None:
        """Write the line; an access line of JSON is made past the processors of other lines (ADR 17)."""
        if ecs_log.is_used:
            ecs_log.write(level, "request", self._ecs_fields())
        else:
            getattr(log, level)("request", **self._fields(), trace_parent=self.trace_parent, ms=self.ms)

    def _ecs_fields(self) -> dict[str, Any]:
        fields = {**self._fields(), "trace.id": trace_id_in(self.trace_parent)}
        found = {ACCESS_NAMES[name]: value for name, value in fields.items() if value is not None}
        return {"event.duration": round(self.ms * NANOSECONDS), **found}

    def _fields(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "user": self.user,
            **self.fields,
        }
