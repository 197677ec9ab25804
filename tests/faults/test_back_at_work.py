"""How soon work goes on after a kill, and how a worker ends when it is asked to."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from devstack.processes import WORKERS, worker_process
from devstack.spawn import spawn
from tests.faults.arena import Arena
from tests.faults.report import account_of
from tests.faults.strikes import Strike
from tests.faults.trial import run_trial
from tests.shop import PROCESSING

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

BACK_AT_WORK_SECONDS = 5.0
END_SECONDS = 10.0


def seconds_until_an_order_is_settled(arena: Arena, product: str) -> float:
    began = time.monotonic()
    order = arena.prober.place((product, 1))
    arena.prober.wait_for_status(order["id"], PROCESSING, seconds=30)
    return time.monotonic() - began


def test_the_standby_relay_takes_over_within_five_seconds(arena: Arena) -> None:
    product = arena.shop.new_product(stock=10)
    seconds_until_an_order_is_settled(arena, product)
    active = arena.active_relay()
    arena.stack.kill(active)
    assert seconds_until_an_order_is_settled(arena, product) <= BACK_AT_WORK_SECONDS


@pytest.mark.parametrize("worker", WORKERS)
def test_a_killed_worker_or_its_companion_is_back_at_work_within_five_seconds(
    arena: Arena, worker: str
) -> None:
    product = arena.shop.new_product(stock=10)
    seconds_until_an_order_is_settled(arena, product)
    for name in arena.instances(worker):
        arena.stack.kill(name)
    assert seconds_until_an_order_is_settled(arena, product) <= BACK_AT_WORK_SECONDS


@contextmanager
def doing_the_work_alone(arena: Arena, worker: str) -> Iterator[subprocess.Popen[bytes]]:
    """One process of our own in place of all workers of a kind."""
    arena.remove_workers(worker)
    process = spawn(worker_process(worker).command, output=subprocess.DEVNULL, env=arena.stack.env)
    try:
        yield process
    finally:
        process.kill()
        arena.restore_workers()


@pytest.mark.parametrize("worker", WORKERS)
def test_a_worker_asked_to_end_under_load_ends_with_success_and_loses_nothing(
    arena: Arena, worker: str, seed: int
) -> None:
    codes: list[int] = []

    def end_the_only_one(system: Arena, _: object) -> None:
        with doing_the_work_alone(system, worker) as process:
            seconds_until_an_order_is_settled(system, system.shop.new_product(stock=1))
            process.send_signal(signal.SIGTERM)
            codes.append(process.wait(END_SECONDS))

    strike = Strike(f"end-{worker}", f"SIGTERM for the only {worker} worker", end_the_only_one)
    run = run_trial(arena, [strike], seconds=0, seed=seed)
    assert codes == [0]
    assert not run.broken, account_of(run)
