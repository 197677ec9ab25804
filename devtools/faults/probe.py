"""Orders by which a run finds out how long the system takes after a fault."""

import time
from collections.abc import Sequence
from http import HTTPStatus
from operator import itemgetter

from devtools.driver.shop import ADDRESS, CASH_ON_DELIVERY, Caller
from devtools.faults.client import request_until_answered
from devtools.faults.observations import Observations, PlacedOrder
from devtools.faults.system import System

_PROBE_SECONDS = 60.0


def seconds_until_reserved(system: System, observations: Observations, count: int = 1) -> float:
    """How long `count` new orders take until their stock is reserved; more than a minute is unexpected."""
    began = time.monotonic()
    placed = [place_probe(system.prober, observations) for _ in range(count)]
    await_reserved(system.prober, observations, placed)
    return time.monotonic() - began


def place_probe(caller: Caller, observations: Observations) -> PlacedOrder:
    """Places an order of one piece of a product with plenty of stock."""
    product, _ = max(observations.received.items(), key=itemgetter(1))
    key = f"{observations.run}-probe-{time.monotonic_ns()}"
    body = {
        "items": [{"productId": product, "quantity": 1}],
        "shippingAddress": ADDRESS,
        "paymentMethod": CASH_ON_DELIVERY,
    }
    headers = {"Idempotency-Key": key}
    answer = request_until_answered(
        observations, lambda: caller.call("POST", "orders/", json=body, headers=headers)
    )
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    placed = PlacedOrder(answer.json()["id"], key, caller.user_id, CASH_ON_DELIVERY, {product: 1})
    observations.placed[placed.order_id] = placed
    return placed


def await_reserved(caller: Caller, observations: Observations, placed: Sequence[PlacedOrder]) -> None:
    """Returns when the stock of all of them is reserved; more than a minute is unexpected."""
    end = time.monotonic() + _PROBE_SECONDS
    for each in placed:
        while not _is_reserved(caller, observations, each):
            if time.monotonic() > end:
                sentence = f"not reserved in {_PROBE_SECONDS:.0f} s after a fault: {each}"
                observations.unexpected.append(sentence)
                return
            time.sleep(0.02)


def _is_reserved(caller: Caller, observations: Observations, placed: PlacedOrder) -> bool:
    answer = request_until_answered(observations, lambda: caller.call("GET", f"orders/{placed.order_id}/"))
    return bool(answer.json()["stockStatus"] == "reserved")
