"""The port on which a process tells operators of itself: its metrics and its health.

It is for the network of the operators alone: it asks nobody who they are. On one machine all processes share
PROMETHEUS_MULTIPROC_DIR instead, and the web processes show the metrics of all.
"""

import json
import threading
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from foundation.heartbeat import Heartbeat
from foundation.work_report import REPORT
from web.metrics_text import ShowMetrics, metrics_of_this_process

REQUEST_SECONDS = 10
NO_SUCH_PATH = b"there is /metrics, /health/live, /health/ready\n"


class Answer(NamedTuple):
    """An answer to a request."""

    status: HTTPStatus
    content_type: str
    body: bytes


def serve_metrics(
    heartbeat: Heartbeat, show: ShowMetrics = metrics_of_this_process, *, is_shared: bool = False
) -> ThreadingHTTPServer | None:
    """Serve metrics and the health of this process on METRICS_PORT, until it ends; nothing where it is 0.

    `is_shared`: other processes may serve the same port, and the kernel chooses one of them for each request.
    Raises ImproperlyConfigured where the port cannot be had.
    """
    if not settings.METRICS_PORT:
        return None
    try:
        server = _Server(heartbeat, show, is_shared=is_shared)
    except OSError as error:
        raise ImproperlyConfigured(f"METRICS_PORT {settings.METRICS_PORT} cannot be had: {error}") from error
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


class _Server(ThreadingHTTPServer):
    def __init__(self, heartbeat: Heartbeat, show: ShowMetrics, *, is_shared: bool) -> None:
        self.allow_reuse_port = is_shared
        super().__init__(("", settings.METRICS_PORT), _Handler)
        self.heartbeat = heartbeat
        self.show = show


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = REQUEST_SECONDS

    def do_GET(self) -> None:
        answer = self._answer()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

    def _answer(self) -> Answer:
        if _path_of(self.path) == "/metrics":
            text = self.server.show(self.headers.get("Accept", ""))
            return Answer(HTTPStatus.OK, text.content_type, text.body)
        return answer_to(self.path, self.server.heartbeat)

    def log_message(self, *_: object) -> None:
        """Probes come every few seconds: nothing is logged."""


def _path_of(target: str) -> str:
    return target.partition("?")[0].rstrip("/")


def answer_to(target: str, heartbeat: Heartbeat) -> Answer:
    """The answer to a request for this target, about the health of the process of this heartbeat."""
    match _path_of(target):
        case "/health/live":
            return _health(heartbeat, is_well=not _is_silent(heartbeat))
        case "/health/ready":
            return _health(heartbeat, is_well=_status(heartbeat) == "ready")
        case _:
            return Answer(HTTPStatus.NOT_FOUND, "text/plain", NO_SUCH_PATH)


def _health(heartbeat: Heartbeat, *, is_well: bool) -> Answer:
    status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
    return Answer(status, "application/json", json.dumps(health_of(heartbeat)).encode())


def health_of(heartbeat: Heartbeat) -> dict[str, object]:
    """The health of this process: whether it works, what it waits for, and when it last finished a batch."""
    return {
        "status": _status(heartbeat),
        "worker": heartbeat.worker,
        "waitingFor": _waits(heartbeat),
        "heldUpBy": heartbeat.hindrances,
        "silentSeconds": round(heartbeat.silent_seconds, 1),
        "lastWork": _shown(REPORT.last_work),
    }


def _status(heartbeat: Heartbeat) -> str:
    if _is_silent(heartbeat):
        return "silent"
    return "waiting" if _waits(heartbeat) else "ready"


def _is_silent(heartbeat: Heartbeat) -> bool:
    return heartbeat.silent_seconds > settings.SILENT_SECONDS


def _waits(heartbeat: Heartbeat) -> list[str]:
    """A sentence for each thing that keeps the worker from its work."""
    found = [f"{name}, since {_shown(since)}" for name, since in sorted(REPORT.waits_for.items())]
    if not heartbeat.is_warm:
        found.append("its own start")
    if breaker := heartbeat.breaker:
        found.append(f"its circuit breaker, until {_shown(breaker.try_at.timestamp())}: {breaker.reason}")
    return found


def _shown(time: float | None) -> str | None:
    return None if time is None else f"{datetime.fromtimestamp(time, UTC):%FT%TZ}"
