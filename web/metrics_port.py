"""The port of a process that serves no pages: its metrics and its health, for Prometheus and for probes.

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
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from foundation.heartbeat import Heartbeat
from foundation.work_report import REPORT

REQUEST_SECONDS = 10
NO_SUCH_PATH = b"there is /metrics, /health/live, /health/ready\n"


class Answer(NamedTuple):
    """An answer to a request."""

    status: HTTPStatus
    content_type: str
    body: bytes


def serve_metrics(heartbeat: Heartbeat) -> ThreadingHTTPServer | None:
    """Serve the metrics and the health of this process on METRICS_PORT, until it ends; nothing where it is 0.

    Raises ImproperlyConfigured where the port cannot be had.
    """
    if not settings.METRICS_PORT:
        return None
    try:
        server = _Server(heartbeat)
    except OSError as error:
        raise ImproperlyConfigured(f"METRICS_PORT {settings.METRICS_PORT} cannot be had: {error}") from error
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


class _Server(ThreadingHTTPServer):
    def __init__(self, heartbeat: Heartbeat) -> None:
        super().__init__(("", settings.METRICS_PORT), _Handler)
        self.heartbeat = heartbeat


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = REQUEST_SECONDS

    def do_GET(self) -> None:
        answer = answer_to(self.path, self.server.heartbeat)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

    def log_message(self, *_: object) -> None:
        """Probes come every few seconds: nothing is logged."""


def answer_to(target: str, heartbeat: Heartbeat) -> Answer:
    """The answer to a request for this target, about the process of this heartbeat."""
    match target.partition("?")[0].rstrip("/"):
        case "/metrics":
            return Answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(REGISTRY))
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
