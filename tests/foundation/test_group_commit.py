"""Concurrent calls of several threads form one batch, and each caller gets its own result."""

import threading
import traceback
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue

import pytest
from django.db import DataError, InterfaceError, OperationalError

from devtools.driver.shop import eventually
from foundation.group_commit import Call, GroupCommit, WrongNumberOfOutcomes
from foundation.pacing import Pacing
from foundation.refusals import Unavailable
from tests.concurrency import start_beside

SECONDS = 10.0


class Down(Unavailable):
    """The dependency of the work."""


class Refused(Exception):
    """The work refuses this call."""


@dataclass
class Bench:
    """Work that records its batches, doubles numbers, refuses odd ones, and blocks until it is released."""

    released: threading.Event = field(default_factory=threading.Event)
    batches: list[list[int]] = field(default_factory=list)
    failures: dict[int, BaseException] = field(default_factory=lambda: {0: ZeroDivisionError()})

    def work(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(numbers))
        assert self.released.wait(SECONDS)
        for number in numbers:
            if number in self.failures:
                raise self.failures[number]
        return [Refused(str(number)) if number % 2 else 2 * number for number in numbers]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def call_during_a_batch(bench: Bench, numbers: Sequence[int], *, limit: int = 100) -> list[Future[int]]:
    """Calls with these numbers, all made while the batch of a first call (2) runs."""
    group_commit = GroupCommit(bench.work, limit=limit)
    first = start_beside(partial(group_commit.call, 2))
    eventually(lambda: bench.batches, "the first batch")
    calls = [start_beside(partial(group_commit.call, number)) for number in numbers]
    eventually(lambda: len(group_commit._waiting) == len(numbers), "all calls waiting")
    bench.released.set()
    assert first.result(SECONDS) == 4
    return calls


def test_a_single_call_is_a_batch_of_one(bench: Bench) -> None:
    bench.released.set()
    group_commit = GroupCommit(bench.work, limit=100)
    assert [group_commit.call(2), group_commit.call(4)] == [4, 8]
    assert bench.batches == [[2], [4]]


def test_calls_that_arrive_during_a_batch_form_the_next_batch(bench: Bench) -> None:
    calls = call_during_a_batch(bench, [4, 6, 8, 10])
    assert [call.result(SECONDS) for call in calls] == [8, 12, 16, 20]
    assert [sorted(batch) for batch in bench.batches] == [[2], [4, 6, 8, 10]]


def test_a_batch_is_not_larger_than_the_limit(bench: Bench) -> None:
    calls = call_during_a_batch(bench, [4, 6, 8, 10, 12], limit=2)
    assert [call.result(SECONDS) for call in calls] == [8, 12, 16, 20, 24]
    assert [len(batch) for batch in bench.batches] == [1, 2, 2, 1]


def test_a_refusal_is_raised_for_its_own_caller_only(bench: Bench) -> None:
    good, bad = call_during_a_batch(bench, [4, 5])
    assert good.result(SECONDS) == 8
    with pytest.raises(Refused, match="5"):
        bad.result(SECONDS)


class Panic(BaseException):
    """As extensions in Rust raise it."""


@pytest.mark.parametrize("failure", [ZeroDivisionError(), RecursionError(), DataError(), Panic()], ids=repr)
def test_a_call_that_fails_alone_spoils_no_other_of_its_batch(bench: Bench, failure: BaseException) -> None:
    bench.failures = {0: failure}
    good, bad, other = call_during_a_batch(bench, [4, 0, 6])
    assert (good.result(SECONDS), other.result(SECONDS)) == (8, 12)
    with pytest.raises(type(failure)):
        bad.result(SECONDS)


@pytest.mark.parametrize("failure", [OperationalError(), InterfaceError(), Down()], ids=repr)
def test_an_outage_is_for_every_call_of_its_batch_and_nothing_is_repeated(
    bench: Bench, failure: BaseException
) -> None:
    bench.failures = {0: failure}
    for call in call_during_a_batch(bench, [4, 0, 6]):
        with pytest.raises(type(failure)):
            call.result(SECONDS)
    assert [len(batch) for batch in bench.batches] == [1, 3]


def test_the_traceback_of_an_outage_does_not_grow_by_each_call_that_raises_it(bench: Bench) -> None:
    bench.failures = {0: OperationalError()}
    bench.released.set()
    done: SimpleQueue[Call[int, int]] = SimpleQueue()
    group_commit = GroupCommit(bench.work, limit=100)
    group_commit.submit(0, done.put)
    call = done.get(timeout=SECONDS)
    lengths = set()
    for _ in range(3):
        with pytest.raises(OperationalError) as raised:
            call.result()
        lengths.add(len(traceback.extract_tb(raised.tb)))
    assert len(lengths) == 1


def test_a_missing_outcome_leaves_no_caller_waiting(bench: Bench) -> None:
    bench.released.set()
    group_commit = GroupCommit[int, int](lambda _: [], limit=100)
    with pytest.raises(WrongNumberOfOutcomes):
        group_commit.call(2)


def test_the_next_call_after_a_failure_succeeds(bench: Bench) -> None:
    bench.released.set()
    group_commit = GroupCommit(bench.work, limit=100)
    with pytest.raises(ZeroDivisionError):
        group_commit.call(0)
    assert group_commit.call(2) == 4


def test_those_just_answered_are_awaited_until_they_are_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foundation.group_commit.GROUP_COMMIT_PACING", Pacing(2 * SECONDS, 2 * SECONDS))
    group_commit = GroupCommit(bench.work, limit=100)

    def call(number: int, times: int) -> list[int]:
        return [group_commit.call(number) for _ in range(times)]

    first = start_beside(partial(call, 2, 3))
    eventually(lambda: bench.batches, "the first batch")
    others = [start_beside(partial(call, number, 2)) for number in (4, 6)]
    eventually(lambda: len(group_commit._waiting) == 2, "two behind the first")
    bench.released.set()
    assert [each.result(SECONDS) for each in (first, *others)] == [[4] * 3, [8] * 2, [12] * 2]
    assert [len(batch) for batch in bench.batches] == [1, 3, 3]
