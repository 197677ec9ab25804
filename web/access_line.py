"""The access line: of each request, what was asked for and how it was answered."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from foundation.ecs_line import ECS_NAMES, NANOSECONDS
from foundation.logging import EcsLog, trace_id_in

if TYPE_CHECKING:  # the web server loads this module before Django
    from web.log_fields import LogFields

log = structlog.get_logger("access")
ecs_log = EcsLog("access")

WATCHING = frozenset({"/health/live", "/health/ready", "/metrics"})
"""Programs ask for these every few seconds; that they were answered is no news."""


@dataclass(slots=True)
class Access:
    """One request and its answer; one that the server refuses by itself has the first three fields alone."""

    method: str
    path: str
    status: int
    ms: float | None = None
    user: str | None = None
    trace_parent: str = ""
    fields: "LogFields" = field(default_factory=dict)

    def log(self, level: str) -> None:
        """Write the line; an access line of JSON is made past the processors of other lines (ADR 17)."""
        if ecs_log.is_used:
            ecs_log.write(level, "request", self._ecs_fields())
        else:
            self._log_for_people(level)

    def _ecs_fields(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "http.request.method": self.method,
            "url.path": self.path,
            "http.response.status_code": self.status,
        }
        if self.ms is not None:
            found["event.duration"] = round(self.ms * NANOSECONDS)
        if self.user is not None:
            found["user.id"] = self.user
        if trace_id := trace_id_in(self.trace_parent):
            found["trace.id"] = trace_id
        for name, value in self.fields.items():
            found[ECS_NAMES[name]] = value
        return found

    def _log_for_people(self, level: str) -> None:
        getattr(log, level)(
            "request",
            method=self.method,
            path=self.path,
            status=self.status,
            ms=self.ms,
            user=self.user,
            trace_parent=self.trace_parent,
            **self.fields,
        )
