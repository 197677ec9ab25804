"""How soon other processes take over after a kill, and how a worker ends on SIGTERM."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from devtools.driver.shop import PROCESSING, eventually
from devtools.faults.fault_table import Fault
from devtools.faults.report import describe_violations
from devtools.faults.run import run_with_faults
from devtools.faults.system import System
from devtools.stack.processes import worker_process
from devtools.stack.spawn import spawn
from kafka_workers.workers import CONSUMERS, WORKERS, Consumer, Worker

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

BACK_AT_WORK_SECONDS = 5.0
END_SECONDS = 10.0


def seconds_until_orders_are_processing(system: System, product: str, count: int) -> float:
    began = time.monotonic()
    for order in [system.prober.place((product, 1)) for _ in range(count)]:
        system.prober.wait_for_status(order["id"], PROCESSING)
    return time.monotonic() - began


def test_the_standby_relay_takes_over_within_five_seconds(system: System) -> None:
    product = system.shop.new_product(stock=10)
    seconds_until_orders_are_processing(system, product, 1)
    active = system.active_relay()
    system.stack.kill(active)
    assert seconds_until_orders_are_processing(system, product, 1) <= BACK_AT_WORK_SECONDS


@pytest.mark.parametrize("worker", CONSUMERS, ids=lambda worker: worker.name)
def test_other_workers_take_over_from_a_killed_one_within_five_seconds(
    system: System, worker: Consumer
) -> None:
    product = system.shop.new_product(stock=100)
    seconds_until_orders_are_processing(system, product, 1)
    system.stack.kill(system.instances(worker.name)[0])
    # Enough orders that some are in each partition, those of the killed worker too.
    assert seconds_until_orders_are_processing(system, product, 12) <= BACK_AT_WORK_SECONDS


@contextmanager
def only_worker(system: System, worker: Worker) -> Iterator[subprocess.Popen[bytes]]:
    """One process of this test in place of all workers of a kind."""
    system.remove_workers(worker)
    process = spawn(worker_process(worker).command, output=subprocess.DEVNULL, env=system.stack.env)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        system.restore_workers()


@pytest.mark.timeout(240)  # each kind of worker is ended in its turn
def test_workers_that_get_sigterm_under_load_end_with_exit_code_0_and_lose_nothing(
    system: System, seed: int
) -> None:
    codes: dict[str, int] = {}

    def end_the_only_one(running: System, _: object) -> None:
        for worker in WORKERS:
            with only_worker(running, worker) as process:
                eventually(psutil.Process(process.pid).net_connections, "a connected worker")
                seconds_until_orders_are_processing(running, running.shop.new_product(stock=1), 1)
                process.send_signal(signal.SIGTERM)
                codes[worker.name] = process.wait(END_SECONDS)

    fault = Fault("end", "SIGTERM for the only worker of each kind", end_the_only_one)
    run = run_with_faults(system, [fault], seconds=0, seed=seed)
    assert codes == dict.fromkeys((worker.name for worker in WORKERS), 0)
    assert not run.broken, describe_violations(run)
