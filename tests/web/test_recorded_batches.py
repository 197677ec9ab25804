"""Requests of the fast path are counted and logged after the answers of their batch have been sent."""

from collections.abc import Callable
from typing import Any, cast

from django.http import HttpResponse
from django.test import RequestFactory
from prometheus_client import REGISTRY

from tests.conftest import Lines
from web.fast_path import Answered
from web.middleware import Observation
from web.server.exchanges import Exchange


class Loop:
    """An exchange, as it has things called later."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def soon(self, call: Callable[[], None]) -> None:
        self.due.append(call)


class GoneUser:
    @property
    def pk(self) -> int:
        raise ZeroDivisionError


def answered(path: str, user: object = None) -> Observation:
    request: Any = RequestFactory().post(path)
    request.user = user
    observation = Observation(request)
    observation.end(HttpResponse(status=201))
    return observation


def counted() -> tuple[float, float]:
    labels = {"method": "POST", "route": "unmatched"}
    requests = REGISTRY.get_sample_value("stockbridge_http_requests_total", labels | {"status": "201"})
    seconds = REGISTRY.get_sample_value("stockbridge_http_request_seconds_count", labels)
    return requests or 0, seconds or 0


def test_a_batch_is_recorded_together_and_one_that_fails_takes_no_line_from_the_others(
    access_lines: Lines,
) -> None:
    loop, batch, before = Loop(), Answered(), counted()
    for observation in (answered("/a/"), answered("/b/", GoneUser()), answered("/c/")):
        batch.add(cast("Exchange", loop), observation)
    assert (counted(), access_lines()) == (before, [])
    [record] = loop.due
    record()
    assert [line["url.path"] for line in access_lines()] == ["/a/", "/c/"]
    assert counted() == (before[0] + 3, before[1] + 3)


def test_the_next_batch_is_recorded_too(access_lines: Lines) -> None:
    loop, batch = Loop(), Answered()
    for path in ("/a/", "/b/"):
        batch.add(cast("Exchange", loop), answered(path))
        loop.due.pop()()
    assert [line["url.path"] for line in access_lines()] == ["/a/", "/b/"]
