"""The conditions under which the circuit breaker opens, tries again and closes."""

from datetime import UTC, datetime, timedelta

import pytest

from kafka_workers.runtime.consuming.circuit_breaker import CircuitBreaker, CircuitBreakerLimits
from kafka_workers.runtime.consuming.retry import Outcome

LIMITS = CircuitBreakerLimits(
    run=10, share=0.6, least=40, seconds=60, probe=4, pause=60.0, longest_pause=600.0
)
GOOD, DEAD, INVALID, RETRIED = Outcome.HANDLED, Outcome.DEAD_LETTERED, Outcome.INVALID, Outcome.RETRIED
START = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(LIMITS, clock, clock.now)


def count(breaker: CircuitBreaker, *outcomes: Outcome) -> int:
    """Counts what the breaker admits of these, as the consumer loop does; returns how many that are."""
    admitted = breaker.admit(outcomes)
    breaker.count(outcomes[:admitted], "no such field")
    return admitted


def pause_of(breaker: CircuitBreaker) -> float:
    assert breaker.opening
    return round(breaker.seconds_left)


@pytest.mark.parametrize("dead", [DEAD, INVALID])
def test_a_run_of_dead_letters_over_several_batches_opens_the_breaker(
    breaker: CircuitBreaker, dead: Outcome
) -> None:
    count(breaker, *[dead] * 9)
    assert not breaker.is_waiting
    count(breaker, dead)
    assert breaker.is_waiting
    assert breaker.opening
    assert breaker.opening.reason == (
        "10 dead letters against 0 good messages in the last 60 s, 10 of them in a row; "
        "the latest: no such field"
    )
    assert (breaker.opening.since, breaker.opening.try_at) == (START, START + timedelta(seconds=60))


def test_no_more_dead_letters_are_admitted_than_open_it_however_large_the_batch_is(
    breaker: CircuitBreaker,
) -> None:
    assert count(breaker, *[DEAD] * 2000) == 10
    assert breaker.is_waiting


def test_all_of_a_batch_is_admitted_while_its_good_messages_outnumber_the_dead_letters(
    breaker: CircuitBreaker,
) -> None:
    assert count(breaker, *[DEAD] * 30, *[GOOD] * 31) == 61
    assert breaker.opening is None


def test_one_good_message_ends_a_run(breaker: CircuitBreaker) -> None:
    count(breaker, *[DEAD] * 9)
    count(breaker, GOOD, *[DEAD] * 9)
    assert breaker.opening is None


def test_retried_messages_are_neither_good_nor_dead(breaker: CircuitBreaker) -> None:
    count(breaker, *[RETRIED] * 100)
    assert breaker.opening is None
    count(breaker, *[DEAD, RETRIED] * 10)
    assert breaker.is_waiting


def test_a_run_keeps_it_closed_while_handled_messages_outnumber_the_dead_letters(
    breaker: CircuitBreaker,
) -> None:
    count(breaker, *[GOOD] * 31)
    count(breaker, *[DEAD] * 30)
    assert breaker.opening is None
    count(breaker, DEAD)
    assert breaker.opening is not None


def test_a_share_without_a_run_opens_it_from_the_minimum_number_on(breaker: CircuitBreaker) -> None:
    count(breaker, *[DEAD, DEAD, GOOD] * 19)
    assert breaker.opening is None
    count(breaker, DEAD, DEAD, GOOD)
    assert breaker.opening is not None


def test_a_share_below_the_limit_keeps_it_closed(breaker: CircuitBreaker) -> None:
    count(breaker, *[DEAD, GOOD] * 500)
    assert breaker.opening is None


def test_messages_older_than_the_window_do_not_count(breaker: CircuitBreaker, clock: Clock) -> None:
    count(breaker, *[GOOD] * 100)
    clock.seconds = 61
    count(breaker, *[DEAD] * 10)
    assert breaker.opening is not None


def test_the_pause_doubles_with_each_failed_try_up_to_the_longest(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    count(breaker, *[DEAD] * 10)
    pauses = [pause_of(breaker)]
    for _ in range(5):
        clock.seconds += breaker.seconds_left
        assert not breaker.is_waiting
        assert breaker.batch_size(2000) == 4
        assert count(breaker, GOOD, DEAD, RETRIED, DEAD) == 4
        pauses.append(pause_of(breaker))
    assert pauses == [60, 120, 240, 480, 600, 600]
    assert breaker.opening
    assert breaker.opening.since == START
    assert breaker.opening.reason == "tried again, 3 of 4 messages failed; the latest: no such field"


def test_a_try_with_more_good_messages_than_others_closes_it(breaker: CircuitBreaker, clock: Clock) -> None:
    count(breaker, *[DEAD] * 10)
    clock.seconds += 60
    count(breaker, DEAD)
    assert breaker.batch_size(2000) == 3
    count(breaker, GOOD, GOOD)
    assert not breaker.is_waiting
    assert breaker.opening is not None
    count(breaker, GOOD)
    assert breaker.opening is None
    assert breaker.batch_size(2000) == 2000
    assert count(breaker, *[DEAD] * 9) == 9


@pytest.mark.parametrize(("tried", "closes"), [([GOOD], True), ([GOOD, DEAD], False), ([], False)])
def test_fewer_messages_than_a_try_takes_close_it_when_no_other_is_waiting(
    breaker: CircuitBreaker, clock: Clock, tried: list[Outcome], closes: bool
) -> None:
    count(breaker, *[DEAD] * 10)
    clock.seconds += 60
    count(breaker, *tried)
    breaker.settle()
    assert (breaker.opening is None) is closes
    assert not breaker.is_waiting


def test_the_pause_grows_further_when_it_opens_again_soon_and_starts_anew_after_the_window(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    def open_after_closed_for(seconds: float) -> float:
        clock.seconds += breaker.seconds_left
        count(breaker, GOOD, GOOD, GOOD)
        assert breaker.opening is None
        clock.seconds += seconds
        count(breaker, *[DEAD] * 10)
        return pause_of(breaker)

    count(breaker, *[DEAD] * 10)
    assert open_after_closed_for(59) == 120
    assert open_after_closed_for(61) == 60


def test_a_successor_waits_for_the_rest_of_the_pause(breaker: CircuitBreaker, clock: Clock) -> None:
    count(breaker, *[DEAD] * 10)
    clock.seconds += 45
    successor = CircuitBreaker(LIMITS, clock, clock.now)
    assert breaker.opening
    successor.restore(breaker.opening)
    assert successor.is_waiting
    assert pause_of(successor) == 15
    clock.seconds += 15
    count(successor, DEAD, DEAD)
    assert pause_of(successor) == 120


def test_a_successor_whose_clock_is_behind_waits_no_longer_than_the_pause(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    count(breaker, *[DEAD] * 10)
    successor = CircuitBreaker(LIMITS, clock, lambda: START - timedelta(days=1))
    assert breaker.opening
    successor.restore(breaker.opening)
    assert pause_of(successor) == 60
