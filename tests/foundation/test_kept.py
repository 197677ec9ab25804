"""Values that are kept for a short time."""

import itertools
import threading
from collections.abc import Callable, Iterator

import pytest
from structlog.typing import EventDict

from devtools.driver.shop import eventually
from foundation import kept
from foundation.kept import Kept
from tests.concurrency import RIVAL_SECONDS, start_beside


class Clock:
    """The clock of `kept`, which a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(kept, "time", clock)
    return clock


def counting() -> Callable[[], int]:
    """Returns 1, 2, and so on."""
    return itertools.count(1).__next__


def test_a_value_is_found_once_until_it_is_due(clock: Clock) -> None:
    value = Kept(counting(), seconds=3)
    assert [value.get(), value.get()] == [1, 1]
    clock.now = 3
    assert value.get() == 2


def test_what_takes_long_is_kept_twenty_times_as_long(clock: Clock) -> None:
    numbers = counting()

    def find() -> int:
        clock.now += 2
        return numbers()

    value = Kept(find, seconds=3)
    assert value.get() == 1
    clock.now += 39
    assert value.get() == 1
    clock.now += 1
    assert value.get() == 2


def test_while_one_thread_searches_the_others_get_the_value_before(clock: Clock) -> None:
    numbers, searching, go_on = counting(), threading.Event(), threading.Event()

    def find() -> int:
        number = numbers()
        if number == 2:
            searching.set()
            assert go_on.wait(RIVAL_SECONDS)
        return number

    value = Kept(find, seconds=3)
    assert value.get() == 1
    clock.now = 3
    search = start_beside(value.get, searching.is_set)
    assert value.get() == 1
    go_on.set()
    assert search.result(RIVAL_SECONDS) == 2


def test_a_search_that_fails_tells_it_and_is_tried_again(clock: Clock) -> None:
    outcomes: Iterator[OSError | int] = iter([OSError("away"), 1])

    def find() -> int:
        outcome = next(outcomes)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    value = Kept(find, seconds=3)
    with pytest.raises(OSError, match="away"):
        value.get()
    assert value.get() == 1


def test_the_last_value_is_given_without_waiting_for_a_search() -> None:
    go_on = threading.Event()

    def find() -> int:
        assert go_on.wait(RIVAL_SECONDS)
        return 1

    value = Kept(find, seconds=3)
    assert value.last() is None
    go_on.set()
    assert eventually(value.last, "the value of the search aside") == 1


def test_a_search_aside_that_fails_is_logged_and_waits(captured_log: list[EventDict], clock: Clock) -> None:
    searches: list[int] = []

    def find() -> int:
        searches.append(len(searches))
        if len(searches) < 3:
            raise OSError
        return 7

    value = Kept(find, seconds=3)

    def fail(number: int) -> None:
        assert value.last() is None
        eventually(lambda: len(searches) == number, "a search")
        eventually(lambda: not value._searching.locked(), "the end of the search")
        assert value.last() is None
        assert len(searches) == number
        assert len(captured_log) == 1
        clock.now += 3

    fail(1)
    fail(2)
    assert eventually(value.last, "the value") == 7
    eventually(lambda: len(captured_log) == 2, "the end of the trouble in the log")
    assert captured_log[1]["held_back"] == 1


def test_a_caller_may_wait_a_while_for_a_search_aside() -> None:
    assert Kept(counting(), seconds=3).last(wait=RIVAL_SECONDS) == 1
