"""The first work of a process is as fast as its later work: what is done once is done before."""

import os
import signal
import time

from devtools.driver.shop import Caller, Shop, eventually
from devtools.stack.stack import Stack
from devtools.stack.warmth import warm_processes
from kafka_workers.workers import SAGA

ONE_WAIT_SECONDS = 0.5
"""What one process that is not warm takes at least: its producer waits so long for its id."""


def seconds_until_confirmed(customer: Caller, product: str) -> float:
    with customer.listening() as socket:
        started = time.monotonic()
        order = customer.place((product, 1))
        socket.wait_for("order:confirmed", order["id"])
        return time.monotonic() - started


def test_the_first_order_is_confirmed_as_fast_as_later_ones(shop: Shop) -> None:
    product, customer = shop.new_product(stock=10), shop.new_customer()
    first, *later = (seconds_until_confirmed(customer, product) for _ in range(5))
    assert first < max(later) + ONE_WAIT_SECONDS


def test_the_first_order_after_a_kill_is_confirmed_as_fast_as_later_ones(stack: Stack, shop: Shop) -> None:
    product, customer = shop.new_product(stock=10), shop.new_customer()
    killed = [name for name in stack.processes if name.partition("-")[0] in {each.name for each in SAGA}]
    before = {name: stack.pid(name) for name in killed}
    for pid in before.values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def is_warm_again(name: str) -> bool:
        pid = stack.pid(name)
        return pid is not None and pid != before[name] and warm_processes(stack.settings.metrics, pid) == 1

    eventually(lambda: all(map(is_warm_again, killed)), "all workers are warm again", seconds=30)
    first, *later = (seconds_until_confirmed(customer, product) for _ in range(3))
    assert first < max(later) + ONE_WAIT_SECONDS
