"""The disks and certificates that the lag exporter measures."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest
from pytest_django import Settings
from structlog.types import EventDict

from devtools.driver.shop import eventually
from devtools.stack.ports import free_ports
from foundation.metrics import CERTIFICATE_EXPIRES, DISK_FREE_BYTES, DISK_SIZE_BYTES
from kafka_workers.lag.surroundings import Certificate, Disk, watch_surroundings
from tests.certificates import Authority


@pytest.fixture
def shown_at(tmp_path: Path) -> Iterator[str]:
    """The address of a server with a certificate of one day that nobody trusts."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(Authority(tmp_path).issue_as_one_file("shop"))
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_end_of_a_certificate_is_shown_whoever_signed_it(shown_at: str) -> None:
    Certificate(shown_at).measure()
    ends = datetime.fromtimestamp(CERTIFICATE_EXPIRES.labels(shown_at)._value.get(), UTC)
    assert abs(ends - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=5)


def test_what_cannot_be_measured_is_logged_once_and_once_when_it_can_be_again(
    tmp_path: Path, shown_at: str, captured_log: list[EventDict]
) -> None:
    disk, certificate = Disk("gone", str(tmp_path / "gone")), Certificate(f"127.0.0.1:{free_ports(1)[0]}")
    for _ in range(3):
        disk.measure()
        certificate._due = 0.0
        certificate.measure()
    (tmp_path / "gone").mkdir()
    certificate._endpoint, certificate._due = shown_at, 0.0
    for _ in range(2):
        disk.measure()
        certificate.measure()
    assert [(entry["event"], entry.get("held_back")) for entry in captured_log] == [
        ("a disk cannot be measured", None),
        ("a certificate cannot be seen", None),
        ("a disk can be measured again", 2),
        ("a certificate can be seen again", 2),
    ]


def test_the_exporter_measures_what_the_settings_name(
    settings: Settings, tmp_path: Path, shown_at: str
) -> None:
    settings.WATCHED_DISKS = {"test": str(tmp_path)}
    settings.WATCHED_CERTIFICATES = [shown_at]
    stop = Event()
    try:
        watch_surroundings(stop)
        eventually(CERTIFICATE_EXPIRES.labels(shown_at)._value.get, "the certificate is seen")
    finally:
        stop.set()
    assert 0 < DISK_FREE_BYTES.labels("test")._value.get() <= DISK_SIZE_BYTES.labels("test")._value.get()
