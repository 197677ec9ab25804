"""The conditions under which the circuit breaker opens."""

import pytest

from kafka_workers.runtime.consuming.circuit_breaker import CircuitBreaker, CircuitBreakerLimits
from kafka_workers.runtime.exceptions import CircuitBreakerOpen

LIMITS = CircuitBreakerLimits(run=10, share=0.6, least=40, seconds=60)
GOOD, DEAD = False, True


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def breaker(clock: Clock | None = None) -> CircuitBreaker:
    return CircuitBreaker("g", LIMITS, clock or Clock())


def test_a_run_of_dead_letters_over_several_batches_opens_the_breaker() -> None:
    subject = breaker()
    subject.count([DEAD] * 9)
    with pytest.raises(CircuitBreakerOpen, match="g stops: 10 dead letters against 0 good"):
        subject.count([DEAD])


def test_one_good_message_ends_a_run() -> None:
    subject = breaker()
    subject.count([DEAD] * 9)
    subject.count([GOOD, *[DEAD] * 9])


def test_a_run_keeps_it_closed_while_handled_messages_outnumber_the_dead_letters() -> None:
    subject = breaker()
    subject.count([GOOD] * 31)
    subject.count([DEAD] * 30)
    with pytest.raises(CircuitBreakerOpen):
        subject.count([DEAD])


def test_a_share_without_a_run_opens_it_from_the_minimum_number_on() -> None:
    subject = breaker()
    subject.count([DEAD, DEAD, GOOD] * 19)
    with pytest.raises(CircuitBreakerOpen):
        subject.count([DEAD, DEAD, GOOD])


def test_a_share_below_the_limit_keeps_it_closed() -> None:
    breaker().count([DEAD, GOOD] * 500)


def test_messages_older_than_the_window_do_not_count() -> None:
    clock = Clock()
    subject = breaker(clock)
    subject.count([GOOD] * 100)
    clock.now = 61
    with pytest.raises(CircuitBreakerOpen):
        subject.count([DEAD] * 10)
