"""The port on which a worker serves its own metrics and health."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from devtools.stack.ports import free_ports
from foundation.heartbeat import Heartbeat, OpenBreaker
from foundation.metrics import HTTP_REQUEST_SECONDS
from foundation.outage import DependencyUnavailable, Outage
from foundation.tracing.exemplars import exemplar
from foundation.work_report import REPORT, tell_work
from web.metrics_port import serve_metrics

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def heartbeat(settings: Settings) -> Iterator[Heartbeat]:
    """The heartbeat of a worker whose port is served."""
    settings.METRICS_PORT = free_ports(1)[0]
    REPORT.waits_for.clear()
    REPORT.last_work = None
    heartbeat = Heartbeat("inventory")
    server = serve_metrics(heartbeat)
    assert server
    yield heartbeat
    server.shutdown()
    server.server_close()


@pytest.fixture
def ask(heartbeat: Heartbeat, settings: Settings) -> "Ask":
    return Ask(settings.METRICS_PORT)


class Ask:
    def __init__(self, port: int) -> None:
        self._port = port

    def __call__(self, path: str, accept: str = "*/*") -> tuple[int, str]:
        """The status and the body of an answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", headers={"Accept": accept})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode()


def test_a_worker_serves_its_metrics(ask: Ask) -> None:
    status, text = ask("/metrics")
    assert status == 200
    assert "stockbridge_worker_heartbeat_timestamp_seconds" in {
        family.name for family in text_string_to_metric_families(text)
    }


def test_prometheus_is_shown_the_traces_of_slow_work(ask: Ask) -> None:
    seconds = HTTP_REQUEST_SECONDS.labels("GET", "metrics")
    seconds.observe(0.3, exemplar(f"00-{'a' * 32}-{'c' * 16}-01"))
    seconds.observe(0.4, exemplar(f"00-{'b' * 32}-{'c' * 16}-00"))
    _, text = ask("/metrics", "application/openmetrics-text; version=1.0.0")
    assert text.endswith("# EOF\n")
    assert f'trace_id="{"a" * 32}"' in text
    assert "b" * 32 not in text


def test_a_worker_is_ready_when_it_is_warm(ask: Ask, heartbeat: Heartbeat) -> None:
    status, body = ask("/health/ready")
    assert (status, json.loads(body)["waitingFor"]) == (503, ["its own start"])
    heartbeat.tell_warm()
    status, body = ask("/health/ready/")
    assert (status, json.loads(body)["status"]) == (200, "ready")


def test_a_worker_that_waits_says_for_what_and_is_alive(ask: Ask, heartbeat: Heartbeat) -> None:
    heartbeat.tell_warm()
    outage = Outage()
    outage.record_failure(DependencyUnavailable("MongoDB"))
    status, body = ask("/health/ready")
    assert status == 503
    assert json.loads(body)["waitingFor"][0].startswith("MongoDB, since ")
    assert ask("/health/live")[0] == 200
    outage.record_success()
    assert ask("/health/ready")[0] == 200


def test_a_worker_waits_for_the_dependency_that_failed_last(ask: Ask, heartbeat: Heartbeat) -> None:
    heartbeat.tell_warm()
    outage = Outage()
    outage.record_failure(DependencyUnavailable("MongoDB"))
    outage.record_failure(DependencyUnavailable("Kafka"))
    [sentence] = json.loads(ask("/health/ready")[1])["waitingFor"]
    assert sentence.startswith("Kafka, since ")
    outage.record_success()
    assert ask("/health/ready")[0] == 200


def test_an_open_breaker_is_told(ask: Ask, heartbeat: Heartbeat) -> None:
    heartbeat.tell_warm()
    now = datetime.now(UTC)
    heartbeat.tell(OpenBreaker("products-service-group", "too many dead letters", now, now))
    status, body = ask("/health/ready")
    assert status == 503
    assert "too many dead letters" in json.loads(body)["waitingFor"][0]


def test_a_worker_without_a_sign_of_work_is_not_alive(ask: Ask, settings: Settings) -> None:
    assert ask("/health/live")[0] == 200
    settings.SILENT_SECONDS = 0
    status, body = ask("/health/live")
    assert (status, json.loads(body)["status"]) == (503, "silent")


def test_a_worker_that_others_hold_up_is_ready_and_says_so(ask: Ask, heartbeat: Heartbeat) -> None:
    heartbeat.tell_warm()
    heartbeat.tell_hindrances(["inventory.reserve/0: messages wait for an open transaction"])
    status, body = ask("/health/ready")
    assert (status, json.loads(body)["status"]) == (200, "ready")
    assert json.loads(body)["heldUpBy"] == ["inventory.reserve/0: messages wait for an open transaction"]


def test_the_last_finished_batch_is_told(ask: Ask) -> None:
    assert json.loads(ask("/health/live")[1])["lastWork"] is None
    tell_work()
    told = datetime.fromisoformat(json.loads(ask("/health/live")[1])["lastWork"])
    assert abs((datetime.now(UTC) - told).total_seconds()) < 60


def test_another_path_is_told_what_there_is(ask: Ask) -> None:
    status, body = ask("/")
    assert (status, body) == (404, "there is /metrics, /health/live, /health/ready\n")


def test_a_taken_port_is_one_sentence(heartbeat: Heartbeat) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"METRICS_PORT \d+ cannot be had"):
        serve_metrics(heartbeat)


def test_without_a_port_nothing_is_served(settings: Settings) -> None:
    settings.METRICS_PORT = 0
    assert serve_metrics(Heartbeat("inventory")) is None


def probe(check: str, port: int) -> tuple[int, str]:
    """The exit code and the output of a health check, which may load neither Django nor settings."""
    command = [sys.executable, "-X", "importtime", "-m", "web.probe", check]
    environment = {"METRICS_PORT": str(port), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        command, env=environment, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False
    )
    assert not re.search(r"\| (django|structlog|config|foundation)", done.stderr)
    return done.returncode, done.stdout


def test_the_probe_ends_with_0_when_the_process_is_ready(heartbeat: Heartbeat, settings: Settings) -> None:
    assert probe("ready", settings.METRICS_PORT) == (1, "inventory is waiting: its own start\n")
    assert probe("live", settings.METRICS_PORT)[0] == 0
    heartbeat.tell_warm()
    assert probe("ready", settings.METRICS_PORT) == (0, "inventory is ready\n")


def test_the_probe_says_why_a_process_does_not_answer() -> None:
    [port] = free_ports(1)
    code, said = probe("ready", port)
    assert (code, said.startswith(f"port {port} does not answer: ")) == (1, True)
    assert probe("ready", 0) == (1, "METRICS_PORT is not set: the process serves no health check\n")
