"""Those who use HTTP: customers who order and cancel, staff who deliver, a service that reserves."""

import heapq
import time
from copy import copy
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import httpx

from devtools.driver.shop import ADDRESS, CASH_ON_DELIVERY, DELIVERED, SHIPPED, Caller, Shop
from devtools.faults.actor import Actor, insist, new_client
from devtools.faults.journal import Journal, Placed

CREDIT_CARD = 1
_CANCELLED_SHARE, _AT_ONCE_SHARE, _REPEATED_SHARE, _BY_CARD_SHARE = 0.15, 0.3, 0.05, 0.05
_LONGEST_CHANGE_OF_MIND_SECONDS = 3.0


class Customer(Actor):
    """Places orders, some twice with the same key, and cancels some."""

    def __init__(self, name: str, journal: Journal, seed: int, caller: Caller, web_url: str) -> None:
        super().__init__(name, journal, seed)
        self._caller = replace(caller, http=new_client(web_url))
        self._products = list(journal.received)
        self._number = 0
        # (when, order id)
        self._to_cancel: list[tuple[float, str]] = []

    def act(self) -> None:
        """One order, and the cancellations that are due."""
        self._number += 1
        key = f"{self.journal.run}-{self.name}-{self._number}"
        placed = self._place(key, self._wish())
        if placed and self.rng.random() < _CANCELLED_SHARE:
            delay = (
                0.0
                if self.rng.random() < _AT_ONCE_SHARE
                else self.rng.uniform(0, _LONGEST_CHANGE_OF_MIND_SECONDS)
            )
            heapq.heappush(self._to_cancel, (time.monotonic() + delay, placed.order_id))
        while self._to_cancel and self._to_cancel[0][0] <= time.monotonic():
            self._cancel(heapq.heappop(self._to_cancel)[1])
        self.rest(0, 0.05)

    def finish(self) -> None:
        """Those who have not cancelled yet do now."""
        for _, order_id in self._to_cancel:
            self._cancel(order_id)
        self._caller.http.close()

    def _wish(self) -> dict[str, Any]:
        products = self.rng.sample(self._products, self.rng.choice([1, 1, 2, 3]))
        return {
            "items": [{"productId": product, "quantity": self.rng.randint(1, 3)} for product in products],
            "shippingAddress": ADDRESS,
            "paymentMethod": CREDIT_CARD if self.rng.random() < _BY_CARD_SHARE else CASH_ON_DELIVERY,
        }

    def _place(self, key: str, wish: dict[str, Any]) -> Placed | None:
        answer = self._order(key, wish)
        if answer.status_code != HTTPStatus.CREATED:
            self.complain(answer, f"order {key}")
            return None
        order = answer.json()
        lines = {line["productId"]: line["quantity"] for line in wish["items"]}
        placed = Placed(order["id"], key, self._caller.user_id, wish["paymentMethod"], lines)
        self.journal.placed[placed.order_id] = placed
        if self.rng.random() < _REPEATED_SHARE:
            self._repeat(placed, wish)
        return placed

    def _repeat(self, placed: Placed, wish: dict[str, Any]) -> None:
        again = self._order(placed.key, wish)
        if again.status_code != HTTPStatus.CREATED or again.json()["id"] != placed.order_id:
            self.complain(again, f"the repeated order {placed.key} ({placed.order_id})")

    def _order(self, key: str, wish: dict[str, Any]) -> httpx.Response:
        return insist(
            self.journal,
            lambda: self._caller.call("POST", "orders/", json=wish, headers={"Idempotency-Key": key}),
        )

    def _cancel(self, order_id: str) -> None:
        answer = insist(self.journal, lambda: self._caller.call("PATCH", f"orders/{order_id}/cancel/"))
        if answer.status_code == HTTPStatus.OK:
            self.journal.cancelled.add(order_id)
        elif answer.status_code != HTTPStatus.CONFLICT:  # rejected before, delivered, or a cancel that died
            self.complain(answer, f"cancelling {order_id}")


class Staff(Actor):
    """Ships and delivers orders here and there."""

    def __init__(self, name: str, journal: Journal, seed: int, caller: Caller, web_url: str) -> None:
        super().__init__(name, journal, seed)
        self._caller = replace(caller, http=new_client(web_url))

    def act(self) -> None:
        """One order, if it lets itself be moved."""
        placed = list(self.journal.placed)
        if placed:
            order_id = self.rng.choice(placed)
            if all(self._move(order_id, status) for status in (SHIPPED, DELIVERED)):
                self.journal.delivered.add(order_id)
        self.rest(0.1, 0.4)

    def finish(self) -> None:
        """Nothing is left to do."""
        self._caller.http.close()

    def _move(self, order_id: str, status: int) -> bool:
        path, body = f"orders/{order_id}/status/", {"status": status}
        answer = insist(self.journal, lambda: self._caller.call("PATCH", path, json=body))
        if answer.status_code not in {HTTPStatus.OK, HTTPStatus.CONFLICT}:
            self.complain(answer, f"moving {order_id} to {status}")
        return answer.status_code == HTTPStatus.OK


class Service(Actor):
    """Reserves and releases by HTTP, each request at times twice: the answer must be the same."""

    def __init__(self, name: str, journal: Journal, seed: int, shop: Shop) -> None:
        super().__init__(name, journal, seed)
        self._shop = copy(shop)
        self._shop.http = new_client(shop.web_url)
        self._products = list(journal.received)
        self._number = 0

    def act(self) -> None:
        """One reservation, perhaps given back in part or whole."""
        self._number += 1
        order_id = f"{self.journal.run}-{self.name}-{self._number}"
        product, quantity = self.rng.choice(self._products), self.rng.randint(1, 3)
        answer = self._ask(product, "reserve", quantity, order_id)
        if answer.status_code == HTTPStatus.OK:
            self.journal.held_apart[order_id, product] = quantity
            if self.rng.random() < 0.5:
                self._give_back(product, self.rng.randint(1, quantity), order_id)
        elif answer.status_code != HTTPStatus.CONFLICT:
            self.complain(answer, f"reserving {quantity} of {product} for {order_id}")
        self.rest(0.05, 0.2)

    def finish(self) -> None:
        """What is reserved by now stays so."""
        self._shop.http.close()

    def _give_back(self, product: str, quantity: int, order_id: str) -> None:
        answer = self._ask(product, "release", quantity, order_id)
        if answer.status_code == HTTPStatus.OK:
            self.journal.held_apart[order_id, product] -= answer.json()["releasedQuantity"]
        else:
            self.complain(answer, f"releasing {quantity} of {product} for {order_id}")

    def _ask(self, product: str, action: str, quantity: int, order_id: str) -> httpx.Response:
        def request() -> httpx.Response:
            return self._shop.service(product, action, quantity, order_id)

        answer = insist(self.journal, request)
        if answer.status_code == HTTPStatus.OK and self.rng.random() < 0.3:
            again = insist(self.journal, request)
            if again.json() != answer.json():
                self.complain(again, f"{action} of {order_id} again, after {answer.text}")
        return answer
