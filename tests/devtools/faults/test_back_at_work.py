"""How soon work goes on after a kill, and how a worker ends when it is asked to."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from devtools.driver.shop import PROCESSING, eventually
from devtools.faults.arena import Arena
from devtools.faults.report import account_of
from devtools.faults.strikes import Strike
from devtools.faults.trial import run_trial
from devtools.stack.processes import worker_process
from devtools.stack.spawn import spawn
from kafka_workers.workers import CONSUMERS, WORKERS, Consumer, Worker

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

BACK_AT_WORK_SECONDS = 5.0
END_SECONDS = 10.0


def seconds_until_orders_are_settled(arena: Arena, product: str, count: int) -> float:
    began = time.monotonic()
    for order in [arena.prober.place((product, 1)) for _ in range(count)]:
        arena.prober.wait_for_status(order["id"], PROCESSING, seconds=30)
    return time.monotonic() - began


def test_the_standby_relay_takes_over_within_five_seconds(arena: Arena) -> None:
    product = arena.shop.new_product(stock=10)
    seconds_until_orders_are_settled(arena, product, 1)
    active = arena.active_relay()
    arena.stack.kill(active)
    assert seconds_until_orders_are_settled(arena, product, 1) <= BACK_AT_WORK_SECONDS


@pytest.mark.parametrize("worker", CONSUMERS, ids=lambda worker: worker.name)
def test_others_do_the_work_of_a_killed_worker_within_five_seconds(arena: Arena, worker: Consumer) -> None:
    product = arena.shop.new_product(stock=100)
    seconds_until_orders_are_settled(arena, product, 1)
    arena.stack.kill(arena.instances(worker.name)[0])
    # Enough of them to meet every partition, those of the killed one too.
    assert seconds_until_orders_are_settled(arena, product, 12) <= BACK_AT_WORK_SECONDS


@contextmanager
def doing_the_work_alone(arena: Arena, worker: Worker) -> Iterator[subprocess.Popen[bytes]]:
    """One process of our own in place of all workers of a kind."""
    arena.remove_workers(worker)
    process = spawn(worker_process(worker).command, output=subprocess.DEVNULL, env=arena.stack.env)
    try:
        yield process
    finally:
        process.kill()
        arena.restore_workers()


def test_workers_asked_to_end_under_load_end_with_success_and_lose_nothing(arena: Arena, seed: int) -> None:
    codes: dict[str, int] = {}

    def end_the_only_one(system: Arena, _: object) -> None:
        for worker in WORKERS:
            with doing_the_work_alone(system, worker) as process:
                eventually(psutil.Process(process.pid).net_connections, "a worker at work")
                seconds_until_orders_are_settled(system, system.shop.new_product(stock=1), 1)
                process.send_signal(signal.SIGTERM)
                codes[worker.name] = process.wait(END_SECONDS)

    strike = Strike("end", "SIGTERM for the only worker of each kind", end_the_only_one)
    run = run_trial(arena, [strike], seconds=0, seed=seed)
    assert codes == dict.fromkeys((worker.name for worker in WORKERS), 0)
    assert not run.broken, account_of(run)
