"""A fault that kills nothing: a program on the broker forges answers beside those of the stock service."""

import json
import random
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import CANCELLED, PROCESSING, Caller, eventually
from devtools.faults.system import Misbehaved, System

ORDERS, STOCK, TOO_MANY = 6, 50, 900
ENDS_WITHIN = 60
OTHER = "665f1f77bcf86cd799439011"

Order = dict[str, Any]
Forge = Callable[[Order], tuple[str, dict[str, Any]]]


def _shortage(product: str, quantity: int) -> dict[str, Any]:
    return {
        "failures": [
            {"productId": product, "code": "INSUFFICIENT_STOCK", "requested": quantity, "available": 0}
        ]
    }


def _lines(product: str, quantity: int) -> dict[str, Any]:
    return {"items": [{"productId": product, "quantity": quantity, "newStock": 0}]}


def _reject(order: Order) -> tuple[str, dict[str, Any]]:
    """A possible rejection, which must not cancel an order whose stock is reserved."""
    return "inventory.rejected", _shortage(*_asked(order))


def _asked(order: Order) -> tuple[str, int]:
    [item] = order["items"]
    return item["productId"], item["quantity"]


IMPOSSIBLE: Sequence[Forge] = (
    lambda order: ("inventory.reserved", {"items": []}),
    lambda order: ("inventory.reserved", _lines(OTHER, 1)),
    lambda order: ("inventory.reserved", _lines(_asked(order)[0], _asked(order)[1] + 1)),
    lambda order: ("inventory.rejected", _shortage(OTHER, 1)),
    lambda order: ("inventory.rejected", _shortage("call\n0900", 1)),
    lambda order: ("inventory.released", {"items": []}),
    lambda order: ("inventory.released", _lines(*_asked(order))),
)
"""Answers that no stock service gives to an order that is not cancelled."""


def forge_answers(system: System, rng: random.Random) -> None:
    """Forge answers before and after the true ones; each order must end as the stock ledger says.

    Raises Misbehaved.
    """
    product = system.shop.new_product(STOCK)
    caller = system.prober
    with closing(KafkaClient(system.broker.brokers)) as kafka:
        orders = [caller.place((product, rng.choice([1, TOO_MANY]))) for _ in range(ORDERS)]
        _send(kafka, rng, orders, IMPOSSIBLE)
        _require_ends(caller, orders)
        _send(kafka, rng, orders, [*IMPOSSIBLE, _reject])
        _require_ends(caller, orders)
    for order in orders:
        if _asked(order)[1] != TOO_MANY:
            caller.call("PATCH", f"orders/{order['id']}/cancel/")
    _require(lambda: system.shop.product(product)["stock"] == STOCK, "not all pieces were given back")


def _send(
    kafka: KafkaClient, rng: random.Random, orders: Sequence[Order], forgeries: Sequence[Forge]
) -> None:
    for order in orders:
        for forge in rng.choices(forgeries, k=3):
            topic, value = forge(order)
            kafka.send(topic, order["id"], json.dumps({"orderId": order["id"], **value}).encode())


def _require_ends(caller: Caller, orders: Sequence[Order]) -> None:
    for order in orders:
        _require(partial(_has_ended, caller, order), f"{order['id']} has not ended as the ledger says")


def _has_ended(caller: Caller, placed: Order) -> bool:
    order = caller.order(placed["id"])
    if _asked(placed)[1] == TOO_MANY:
        return bool(order["status"] == CANCELLED and order["cancelReason"]["code"] == "INSUFFICIENT_STOCK")
    return (order["status"], order["stockStatus"]) == (PROCESSING, "reserved")


def _require(is_right: Callable[[], bool], fact: str) -> None:
    try:
        eventually(is_right, fact, ENDS_WITHIN)
    except AssertionError as error:
        raise Misbehaved(fact) from error
