"""Bounds of a request, however its bytes arrive: in one read, in many, or behind another request."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from web.server.limits import Limits
from web.server.reading import RequestReader
from web.server.refusals import TOO_MANY_HEADERS
from web.server.request import Request

LONG_HEAD = b"GET / HTTP/1.1\r\na: " + b"b" * 200_000
WITH_BODY = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000


@pytest.fixture
def taken() -> list[Request]:
    return []


@pytest.fixture
def reader(taken: list[Request]) -> RequestReader:
    process = cast("Any", SimpleNamespace(limits=Limits(), body_bytes=0))
    return RequestReader(process, {}, taken.append)


@pytest.mark.parametrize("size", [200_019, 150_000, 131_072, 65_536, 1_000])
@pytest.mark.parametrize("data", [LONG_HEAD, b"GET /" + b"a" * 200_000])
def test_a_head_that_is_too_long_is_refused_whatever_the_size_of_the_reads(
    reader: RequestReader, data: bytes, size: int
) -> None:
    for first in range(0, len(data), size):
        reader.feed(data[first : first + size])
    assert reader.refusal == TOO_MANY_HEADERS


def test_a_head_that_is_too_long_is_refused_behind_another_request_in_the_same_read(
    reader: RequestReader, taken: list[Request]
) -> None:
    reader.feed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + LONG_HEAD)
    assert reader.refusal == TOO_MANY_HEADERS
    assert len(taken) == 1


def test_a_short_head_behind_a_large_body_in_the_same_read_is_taken(
    reader: RequestReader, taken: list[Request]
) -> None:
    reader.feed(WITH_BODY + b"GET / HTTP/1.1\r\nHost")
    reader.feed(b": a\r\n\r\n")
    assert reader.refusal is None
    assert len(taken) == 2
