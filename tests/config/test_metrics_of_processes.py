"""Metrics of real processes: each on its own port as in containers, or together by a shared directory."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from devtools.driver.patience import PATIENCE_SECONDS
from devtools.driver.shop import eventually
from devtools.stack.ports import free_ports
from kafka_workers.workers import RELAY
from tests.kafka_workers.test_worker_processes import NOTHING_LISTENS
from tests.orders_app.sockets.conftest import accepts

WEB = ("-m", "web.server", "--port", "0", "--processes", "2", "config.wsgi:application")
WORKER = ("manage.py", RELAY.command)
STARTUP_FAILURE = 3


@contextmanager
def running(command: tuple[str, ...], port: int, directory: Path | None = None) -> Iterator[None]:
    """Runs a process that shows its metrics on this port, with nothing that it needs."""
    environment = os.environ | NOTHING_LISTENS | {"METRICS_PORT": str(port)}
    environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
    if directory:
        environment["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
    process = subprocess.Popen([sys.executable, *command], env=environment, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(20) == 0


def value(port: int, name: str, **labels: str) -> float | None:
    """A sample that the port shows; None while it shows none."""
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        samples = [
            sample.value
            for family in text_string_to_metric_families(answer.read().decode())
            for sample in family.samples
            if (sample.name, sample.labels) == (f"stockbridge_{name}", labels)
        ]
        return sum(samples) if samples else None
    return None


def test_a_worker_in_a_container_shows_its_own_metrics() -> None:
    [port] = free_ports(1)
    with running(WORKER, port):
        eventually(lambda: value(port, "worker_heartbeat_timestamp_seconds", worker=RELAY.name), "it beats")
        assert value(port, "relay_leaders") == 0
        assert value(port, "worker_processes", worker=RELAY.name, state="working") is None


def test_web_processes_show_together_what_they_share_and_whether_servers_answer(tmp_path: Path) -> None:
    [port] = free_ports(1)
    with running(WEB, port, tmp_path):
        eventually(
            lambda: value(port, "worker_processes", worker="web", state="working") == 2, "both are there"
        )
        assert value(port, "dependency_up", dependency="postgresql") == 0


def has_started(port: int) -> bool:
    """Whether the process says on this port that it waits no more for its own start."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    with suppress(OSError), closing(connection):
        connection.request("GET", "/health/ready")
        return "its own start" not in json.loads(connection.getresponse().read())["waitingFor"]
    return False


def test_a_web_process_listens_before_it_says_that_it_has_started() -> None:
    own, web = free_ports(2)
    with running(("-m", "web.server", "--port", str(web), "config.wsgi:application"), own):
        end = time.monotonic() + PATIENCE_SECONDS
        while not has_started(own):  # without a pause: the two moments are milliseconds apart
            assert time.monotonic() < end
        assert accepts(web)


def test_web_processes_that_share_nothing_do_not_share_a_port() -> None:
    environment = os.environ | NOTHING_LISTENS | {"METRICS_PORT": "9100"}
    environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
    done = subprocess.run(
        [sys.executable, *WEB], env=environment, stderr=subprocess.PIPE, text=True, timeout=30, check=False
    )
    assert done.returncode == STARTUP_FAILURE
    assert done.stderr.startswith("web: METRICS_PORT with several processes needs PROMETHEUS_MULTIPROC_DIR")
    assert len(done.stderr.splitlines()) == 1
