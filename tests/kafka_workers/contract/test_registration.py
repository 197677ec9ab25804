"""A worker whose schema registry is away goes on without it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Event, Thread

import pytest
from pytest_django import Settings
from structlog.types import EventDict

from devtools.driver.shop import eventually
from kafka_workers.contract import registration
from kafka_workers.contract.registration import begin_registration
from kafka_workers.contract.topics import BUSINESS_TOPICS

UNAVAILABLE = "schema registry unavailable: messages go without ids"
TOPICS = [topic.name for topic in BUSINESS_TOPICS]


@contextmanager
def listening(*, answer: bytes | None) -> Iterator[tuple[str, list[float]]]:
    """A server that gives this answer to everything, or none: its address, and the times of requests."""
    times: list[float] = []
    ended = Event()

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(100_000)
            times.append(time.monotonic())
            if answer is None:
                ended.wait(30)
            else:
                self.request.sendall(answer)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", times
        ended.set()
        server.shutdown()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="no answer"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", id="a page"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", id="no id"),
        pytest.param(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", id="another server"),
        pytest.param(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", id="a closed door"),
        pytest.param(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", id="overload"),
    ],
)
def test_a_registry_that_cannot_be_used_is_told_once_and_asked_again(
    answer: bytes,
    stop: Event,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    captured_log: list[EventDict],
) -> None:
    monkeypatch.setattr(registration, "RETRY_SECONDS", 0.01)
    with listening(answer=answer) as (settings.SCHEMA_REGISTRY_URL, times):
        begin_registration(TOPICS, stop)
        eventually(lambda: len(times) > 3, "the registry is asked again")
    assert [entry["log_level"] for entry in captured_log if entry["event"] == UNAVAILABLE] == ["warning"]
    assert [topic.schema_id for topic in BUSINESS_TOPICS] == [None] * len(BUSINESS_TOPICS)


def test_a_registry_that_does_not_answer_delays_a_start_by_a_bounded_time(
    stop: Event, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "START_SECONDS", 0.2)
    with listening(answer=None) as (settings.SCHEMA_REGISTRY_URL, times):
        begun = time.monotonic()
        begin_registration(TOPICS, stop)
        assert 0.2 <= time.monotonic() - begun < 2
        eventually(lambda: len(times) == 1, "the registry is asked")
