"""The helper of the race tests reports the results and exceptions of its jobs."""

import sys
import threading

import pytest

from tests.concurrency import insert_rival, race, run_beside, run_together, running

module = sys.modules[__name__]


def fail() -> int:
    raise ZeroDivisionError


def fail_when_started(_stop: threading.Event) -> None:
    fail()


def add(number: int) -> int:
    return number + 1


def test_jobs_run_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=10)
    assert sorted(run_together(meeting.wait, meeting.wait)) == [0, 1]


def test_a_race_has_an_outcome_for_each_job() -> None:
    done, failed = race(lambda: 1, fail)
    assert done == 1
    assert isinstance(failed, ZeroDivisionError)


def test_a_job_that_fails_fails_the_test() -> None:
    with pytest.raises(ZeroDivisionError):
        run_together(lambda: 1, fail)
    with pytest.raises(ZeroDivisionError):
        run_beside(fail)
    with pytest.raises(ZeroDivisionError), running(fail_when_started):
        pass


def test_a_job_that_takes_too_long_fails_the_test() -> None:
    end = threading.Event()
    with pytest.raises(AssertionError, match="has not ended"):
        run_beside(lambda: end.wait(30), seconds=0.1)
    end.set()


def test_a_rival_acts_once_before_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    acted: list[str] = []
    insert_rival(monkeypatch, module, "add", lambda: acted.append("rival"))
    assert [add(1), add(2)] == [2, 3]
    assert acted == ["rival"]
