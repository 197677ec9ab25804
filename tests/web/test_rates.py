"""Counts of requests: in one process, by the processes of a machine, and by several machines."""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection

from foundation.rates import Rate
from web.models import RequestCount
from web.rates import sharing, table
from web.rates.counts import RequestCounts
from web.rates.sharing import Sharing
from web.rates.store import admit_at_once, sweep
from web.rates.table import CountTable, id_of

KEY = "user/60:7"
FIVE = Rate(5, 60)
SIXTY = Rate(60, 60)


class Clock:
    """The time, which a test sets."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counts(clock: Clock) -> RequestCounts:
    return RequestCounts(CountTable(None), clock)


def let_in(counts: RequestCounts, requests: int, rate: Rate, key: str = KEY) -> int:
    return sum(not counts.admit(key, rate) for _ in range(requests))


def test_a_rate_lets_in_its_limit_and_the_next_request_exactly_after_the_wait(
    counts: RequestCounts, clock: Clock
) -> None:
    assert let_in(counts, 9, FIVE) == 5
    assert let_in(counts, 9, FIVE, "user/60:8") == 5
    for _ in range(20):
        clock.now += counts.admit(KEY, FIVE) - 0.01
        assert counts.admit(KEY, FIVE) > 0
        clock.now += 0.01
        assert let_in(counts, 2, FIVE) == 1


def test_a_flood_is_let_in_at_the_rate(counts: RequestCounts, clock: Clock) -> None:
    times = []
    while clock.now < 1_600.0:
        if not counts.admit(KEY, SIXTY):
            times.append(clock.now)
        clock.now += 0.05
    assert len(times) == pytest.approx(600, rel=0.02)
    assert max(sum(start <= time < start + 60 for time in times) for start in times) <= 62


def test_what_was_counted_before_the_machine_started_does_not_count(
    counts: RequestCounts, clock: Clock
) -> None:
    assert let_in(counts, 9, FIVE) == 5
    clock.now = 10.0
    assert let_in(counts, 9, FIVE) == 5


def test_more_callers_than_there_are_places_forget_the_oldest(
    counts: RequestCounts, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "PLACES", 16)
    for number in range(200):
        clock.now += 1
        assert let_in(counts, 9, FIVE, f"address/60:{number}") == 5
    assert let_in(counts, 9, FIVE, "address/60:199") == 0
    assert len(counts.take_untold()) <= 16


def test_windows_of_before_the_machine_was_started_give_way_first(
    counts: RequestCounts, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "PLACES", 8)
    for number in range(8):
        counts.admit(f"address/60:{number}", FIVE)
    clock.now = 10.0
    for number in range(8):
        assert let_in(counts, 9, FIVE, f"user/60:{number}") == 5
    assert [let_in(counts, 9, FIVE, f"user/60:{number}") for number in range(8)] == [0] * 8


def test_a_key_does_not_inherit_what_the_database_could_not_be_told_of_another(
    counts: RequestCounts, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "PLACES", 1)
    assert let_in(counts, 9, FIVE, "address/60:1") == 5
    untold = counts.take_untold()
    counts.admit(KEY, FIVE)
    counts.put_back(untold)
    assert [told.number for told in counts.take_untold().values()] == [1]


@pytest.mark.parametrize("plant", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("elsewhere")])
def test_what_is_no_file_of_ours_stops_the_start_with_a_sentence(
    plant: Callable[[Path], None], tmp_path: Path
) -> None:
    plant(tmp_path / "counts")
    with pytest.raises(ImproperlyConfigured, match=r"Requests cannot be counted in .*/counts: .+\."):
        CountTable(tmp_path / "counts")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("limit", [1, 5, 60, 1200])
@pytest.mark.parametrize("weights", [(1, 0, 0), (1, 1, 1), (8, 1, 0)])
def test_the_processes_of_a_machine_let_in_the_limit_however_requests_are_spread(
    limit: int, weights: tuple[int, ...], tmp_path: Path
) -> None:
    processes = [RequestCounts(CountTable(tmp_path / "counts")) for _ in weights]
    chosen = random.Random(7).choices(processes, weights, k=3 * limit)
    assert sum(not process.admit(KEY, Rate(limit, 60)) for process in chosen) == limit
    restarted = RequestCounts(CountTable(tmp_path / "counts"))
    assert let_in(restarted, 9, Rate(limit, 60)) == 0


COUNTING = """
import hashlib
import sys
from pathlib import Path
from foundation.rates import Rate
from web.rates.counts import RequestCounts
from web.rates.table import CountTable
counts = RequestCounts(CountTable(Path(sys.argv[1])))
print("ready", flush=True)
sys.stdin.readline()
admitted = 0
for _ in range(3_000):
    hashlib.sha256(bytes(100_000))  # the rest of the request
    admitted += not counts.admit("user/60:7", Rate(4_000, 60))
print(admitted)
"""


def test_processes_that_count_at_the_same_time_let_in_the_limit(tmp_path: Path) -> None:
    command = [sys.executable, "-c", COUNTING, str(tmp_path / "counts")]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    admitted = [int(process.communicate(timeout=30)[0]) for process in processes]
    # On a busy machine one may lose the processor while it counts, and write over what the other counts.
    assert 4_000 <= sum(admitted) <= 4_200


Machines = Callable[[int], list[tuple[RequestCounts, Sharing]]]


@pytest.fixture
def machines(transactional_db: None) -> Machines:
    """Makes so many machines, which share their counts when the test says so."""

    def make(number: int) -> list[tuple[RequestCounts, Sharing]]:
        made = [RequestCounts(CountTable(None)) for _ in range(number)]
        return [(counts, Sharing(counts)) for counts in made]

    return make


@pytest.mark.parametrize(("limit", "error"), [(5, 1), (60, 8), (1200, 24)])
@pytest.mark.parametrize("weights", [(1, 0), (1, 1), (8, 1)])
def test_machines_let_in_little_more_than_the_limit(
    limit: int, error: int, weights: tuple[int, int], machines: Machines
) -> None:
    made = machines(2)
    admitted = 0
    for counts, sharing_thread in random.Random(7).choices(made, weights, k=3 * limit):
        admitted += not counts.admit(KEY, Rate(limit, 60))
        if counts.urgent.is_set():
            counts.urgent.clear()
            sharing_thread.share()
    assert limit <= admitted <= limit + error


def test_a_machine_that_is_started_again_learns_what_it_had_counted(machines: Machines) -> None:
    (before, sharing_before), (after, sharing_after) = machines(2)
    assert let_in(before, 59, SIXTY) == 59
    sharing_before.share()
    after.admit(KEY, SIXTY)
    sharing_after.share()
    # The turn of the window is read back in microseconds.
    assert 0 < after.admit(KEY, SIXTY) < 60.01


def test_while_the_database_is_away_a_machine_counts_alone_and_tells_it_later(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    (counts, sharing_thread), (other, sharing_other) = machines(2)

    def fail(*_: object) -> None:
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr(sharing, "add_counts", fail)
        assert let_in(counts, 40, SIXTY) == 40
        with pytest.raises(OperationalError):
            sharing_thread.share()
        assert let_in(counts, 9, SIXTY) == 9
    sharing_thread.share()
    other.admit(KEY, SIXTY)
    sharing_other.share()
    assert let_in(other, 20, SIXTY) == 10


def test_the_thread_shares_by_itself_and_once_more_at_the_end(machines: Machines) -> None:
    ((counts, sharing_thread),) = machines(1)
    sharing_thread.start()
    assert let_in(counts, 9, FIVE) == 5
    sharing_thread.end()
    assert [(row.id, row.current) for row in RequestCount.objects.all()] == [(id_of(KEY), 5)]


@pytest.mark.django_db(transaction=True)
def test_a_count_in_the_database_is_exact_and_its_rows_are_swept() -> None:
    waits = [admit_at_once(id_of(KEY), FIVE, connection) for _ in range(7)]
    assert waits[:5] == [0] * 5
    assert all(0 < wait <= 60.01 for wait in waits[5:])
    assert sweep(connection) == 0
    turn(60)
    assert [bool(admit_at_once(id_of(KEY), FIVE, connection)) for _ in range(2)] == [False, True]
    turn(120)
    assert sweep(connection) == 1
    assert not RequestCount.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_rate_holds_although_the_clock_of_the_database_is_set_back() -> None:
    for _ in range(2):
        assert [bool(admit_at_once(id_of(KEY), FIVE, connection)) for _ in range(7)] == [False] * 5 + [
            True
        ] * 2
        turn(-3_600)
    counts = RequestCounts(CountTable(None))
    sharing_thread = Sharing(counts)
    for _ in range(2):
        let_in(counts, 9, FIVE)
        sharing_thread.share()
        assert let_in(counts, 9, FIVE) == 0


def turn(seconds: int) -> None:
    """Let so much time pass for the rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE request_count SET turns_at = turns_at - %s * interval '1 second', "
            "ends_at = ends_at - %s * interval '1 second'",
            [seconds, seconds],
        )
