"""A fault that kills nothing: another program writes documents into the catalogue that cannot be sold."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import httpx
from bson import Decimal128, Int64, ObjectId
from pymongo.collection import Collection

from devtools.driver.shop import ADDRESS, CASH_ON_DELIVERY, eventually
from devtools.faults.system import Document, Misbehaved, System

CALLERS = 8
_SPOILED: Sequence[Document] = (
    {"price": "call us"},
    {"price": "12.50"},
    {"price": float("nan")},
    {"price": Decimal128("Infinity")},
    {"price": 1e16},
    {"price": -1},
    {"price": None},
    {"name": 5},
    {"name": ""},
    {"name": "a\x00b"},
    {"name": "x" * 100_000},
    {"stock": "5"},
    {"stock": 2.5},
    {"stock": Int64(2**62)},
    {"received": "5"},
    {"isActive": "yes"},
)


def poison(system: System, rng: random.Random) -> None:
    """Write documents that cannot be sold, order them beside the load, read the lists, and mend them.

    Raises Misbehaved where an order of one is not refused with the reason, a list fails or shows one, an
    order does not give back what it holds, or the check does not mend them.
    """
    with system.collection("products") as products:
        sold = system.shop.new_product(10)
        order = system.prober.place((sold, 2))
        system.prober.wait_for_stock_status(order["id"], "reserved")
        _spoil(products, sold, price="call us")
        planted = [_plant(products, fields) for fields in rng.sample(_SPOILED, len(_SPOILED))]
        with ThreadPoolExecutor(CALLERS) as callers:
            list(callers.map(lambda product: _require_refusal(system, product), [sold, *planted] * 2))
        _require_lists_without(system, {sold, *planted})
        system.prober.call("PATCH", f"orders/{order['id']}/cancel/")
        eventually(lambda: _stock(products, sold) == 10, "the stock of the spoiled product given back")
        done = system.manage("check_catalogue", "--repair")
        _require(done.returncode == 0, f"check_catalogue ended with {done.stdout} {done.stderr}")
        products.delete_many({"_id": {"$in": [ObjectId(product) for product in planted]}})


def _plant(products: Collection[Document], fields: Document) -> str:
    document = {"name": "Spoiled", "price": 1, "stock": 5, **fields}
    return str(products.insert_one(document, bypass_document_validation=True).inserted_id)


def _spoil(products: Collection[Document], product: str, **fields: Any) -> None:
    products.update_one({"_id": ObjectId(product)}, {"$set": fields}, bypass_document_validation=True)


def _stock(products: Collection[Document], product: str) -> object:
    found = products.find_one({"_id": ObjectId(product)})
    return found and found["stock"]


def _require_refusal(system: System, product: str) -> None:
    body = {
        "items": [{"productId": product, "quantity": 1}],
        "shippingAddress": ADDRESS,
        "paymentMethod": CASH_ON_DELIVERY,
    }
    answer = system.prober.call("POST", "orders/", json=body)
    _require(
        _is_refused(answer), f"an order of {product} was answered {answer.status_code} {answer.text[:300]}"
    )
    reserved = system.shop.service(product, "reserve", 1, f"poisoned-{product}")
    is_refused = reserved.status_code == HTTPStatus.CONFLICT
    _require(is_refused, f"a reserve of {product} was answered {reserved.status_code} {reserved.text[:300]}")


def _is_refused(answer: httpx.Response) -> bool:
    if answer.status_code != HTTPStatus.BAD_REQUEST:
        return False
    [error] = answer.json()["errors"]
    return bool(
        error["code"] == "product_inactive" and error["attr"] == "items.0.productId" and error["detail"]
    )


def _require_lists_without(system: System, spoiled: set[str]) -> None:
    for query in ("", "search=spoiled", "ordering=price", "ordering=name"):
        answer = system.shop.staff.call("GET", f"products/?pageSize=100&{query}")
        _require(answer.status_code == HTTPStatus.OK, f"a list was answered {answer.status_code}")
        shown = {product["id"] for product in answer.json()["results"]}
        _require(not shown & spoiled, f"a list shows {shown & spoiled}")


def _require(is_right: bool, fact: str) -> None:
    if not is_right:
        raise Misbehaved(fact)
