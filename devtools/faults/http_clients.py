"""The clients over HTTP: customers who order and cancel, staff who deliver, a service that reserves."""

import heapq
import time
from copy import copy
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple

import httpx

from devtools.driver.shop import ADDRESS, CASH_ON_DELIVERY, CREDIT_CARD, DELIVERED, SHIPPED, Caller, Shop
from devtools.faults.client import Client, new_http_client, request_until_answered
from devtools.faults.observations import Observations, PlacedOrder
from devtools.faults.tokens import VISA, another_token, choose_token

_CANCELLED_SHARE, _AT_ONCE_SHARE, _REPEATED_SHARE = 0.15, 0.3, 0.05
_PREPAID_SHARE, _UNPAID_SHARE = 0.25, 0.05
_PAID_LATER_SHARE, _REFUNDED_SHARE = 0.7, 0.5
_LONGEST_DELAY_SECONDS = 3.0


class Action(NamedTuple):
    """What a customer does with an order later: pays it with this token, or cancels it."""

    order_id: str
    payment_token: str = ""


class Customer(Client):
    """Places orders, some twice with the same key; pays some, and cancels some."""

    def __init__(
        self, name: str, observations: Observations, seed: int, caller: Caller, web_url: str
    ) -> None:
        super().__init__(name, observations, seed)
        self._caller = replace(caller, http=new_http_client(web_url))
        self._products = list(observations.received)
        self._number = 0
        # By the time at which each is due.
        self._later: list[tuple[float, Action]] = []

    def act(self) -> None:
        """One order, and the cancellations and payments that are due."""
        self._number += 1
        key = f"{self.observations.run}-{self.name}-{self._number}"
        placed = self._place(key, self._new_body())
        if placed:
            self._plan(placed)
        while self._later and self._later[0][0] <= time.monotonic():
            self._do(heapq.heappop(self._later)[1])
        self.pause(0, 0.05)

    def finish(self) -> None:
        """Does what is not due yet."""
        for _, action in self._later:
            self._do(action)
        self._caller.http.close()

    def _plan(self, placed: PlacedOrder) -> None:
        """What becomes of an order later: more than one thing may."""
        if self.rng.random() < _CANCELLED_SHARE:
            self._do_later(Action(placed.order_id), at_once=self.rng.random() < _AT_ONCE_SHARE)
        may_be_paid = placed.payment_method == CREDIT_CARD and placed.payment_token != VISA
        if may_be_paid and self.rng.random() < _PAID_LATER_SHARE:
            self._do_later(Action(placed.order_id, another_token(self.rng)))

    def _do_later(self, action: Action, *, at_once: bool = False) -> None:
        delay = 0.0 if at_once else self.rng.uniform(0, _LONGEST_DELAY_SECONDS)
        heapq.heappush(self._later, (time.monotonic() + delay, action))

    def _do(self, action: Action) -> None:
        if action.payment_token:
            self._pay(action.order_id, action.payment_token)
        else:
            self._cancel(action.order_id)

    def _new_body(self) -> dict[str, Any]:
        products = self.rng.sample(self._products, self.rng.choice([1, 1, 2, 3]))
        return {
            "items": [{"productId": product, "quantity": self.rng.randint(1, 3)} for product in products],
            "shippingAddress": ADDRESS,
            **self._payment(),
        }

    def _payment(self) -> dict[str, Any]:
        share = self.rng.random()
        if share < _PREPAID_SHARE:
            return {"paymentMethod": CREDIT_CARD, "paymentToken": choose_token(self.rng)}
        is_unpaid = share < _PREPAID_SHARE + _UNPAID_SHARE
        return {"paymentMethod": CREDIT_CARD if is_unpaid else CASH_ON_DELIVERY}

    def _place(self, key: str, body: dict[str, Any]) -> PlacedOrder | None:
        answer = self._order(key, body)
        if answer.status_code != HTTPStatus.CREATED:
            self.note_unexpected(answer, f"order {key}")
            return None
        order = answer.json()
        lines = {line["productId"]: line["quantity"] for line in body["items"]}
        token = body.get("paymentToken", "")
        placed = PlacedOrder(order["id"], key, self._caller.user_id, body["paymentMethod"], lines, token)
        self.observations.placed[placed.order_id] = placed
        if token:
            self.observations.paid_for.add(placed.order_id)
        if self.rng.random() < _REPEATED_SHARE:
            self._repeat(placed, body)
        return placed

    def _repeat(self, placed: PlacedOrder, body: dict[str, Any]) -> None:
        again = self._order(placed.key, body)
        if again.status_code != HTTPStatus.CREATED or again.json()["id"] != placed.order_id:
            self.note_unexpected(again, f"the repeated order {placed.key} ({placed.order_id})")

    def _order(self, key: str, body: dict[str, Any]) -> httpx.Response:
        return request_until_answered(
            self.observations,
            lambda: self._caller.call("POST", "orders/", json=body, headers={"Idempotency-Key": key}),
        )

    def _pay(self, order_id: str, token: str) -> None:
        answer = request_until_answered(self.observations, lambda: self._caller.pay(order_id, token))
        if answer.status_code == HTTPStatus.ACCEPTED:
            self.observations.paid_for.add(order_id)
        elif answer.status_code != HTTPStatus.CONFLICT:  # paid, cancelled, or being paid
            self.note_unexpected(answer, f"paying {order_id}")

    def _cancel(self, order_id: str) -> None:
        answer = request_until_answered(
            self.observations, lambda: self._caller.call("PATCH", f"orders/{order_id}/cancel/")
        )
        if answer.status_code == HTTPStatus.OK:
            self.observations.cancelled.add(order_id)
        elif (
            answer.status_code != HTTPStatus.CONFLICT
        ):  # already rejected or delivered, or cancelled by an earlier attempt
            self.note_unexpected(answer, f"cancelling {order_id}")


class Staff(Client):
    """Ships and delivers some orders, and gives a part of the money of some back."""

    def __init__(
        self, name: str, observations: Observations, seed: int, caller: Caller, web_url: str
    ) -> None:
        super().__init__(name, observations, seed)
        self._caller = replace(caller, http=new_http_client(web_url))

    def act(self) -> None:
        """Ships and delivers one order, if its status allows it."""
        placed = list(self.observations.placed)
        if placed:
            order_id = self.rng.choice(placed)
            if all(self._set_status(order_id, status) for status in (SHIPPED, DELIVERED)):
                self.observations.delivered.add(order_id)
            if self.rng.random() < _REFUNDED_SHARE:
                self._refund(self.rng.choice([*self.observations.paid_for] or placed))
        self.pause(0.1, 0.4)

    def finish(self) -> None:
        """Closes its connections."""
        self._caller.http.close()

    def _set_status(self, order_id: str, status: int) -> bool:
        path, body = f"orders/{order_id}/status/", {"status": status}
        answer = request_until_answered(
            self.observations, lambda: self._caller.call("PATCH", path, json=body)
        )
        if answer.status_code not in {HTTPStatus.OK, HTTPStatus.CONFLICT}:
            self.note_unexpected(answer, f"setting {order_id} to status {status}")
        return answer.status_code == HTTPStatus.OK

    def _refund(self, order_id: str) -> None:
        """Gives one unit of money back; repeats the request with its key, which changes nothing."""
        headers = {"Idempotency-Key": f"{order_id}-{self.rng.random()}"}
        body = {"amount": "1.00", "reason": "one piece was scratched"}
        for _ in range(2):
            answer = request_until_answered(
                self.observations,
                lambda: self._caller.call("POST", f"orders/{order_id}/refund/", json=body, headers=headers),
            )
            if answer.status_code not in {HTTPStatus.ACCEPTED, HTTPStatus.CONFLICT}:
                self.note_unexpected(answer, f"a refund of {order_id}")


class Service(Client):
    """Reserves and releases over HTTP; repeats some requests, whose second answer must equal the first."""

    def __init__(self, name: str, observations: Observations, seed: int, shop: Shop) -> None:
        super().__init__(name, observations, seed)
        self._shop = copy(shop)
        self._shop.http = new_http_client(shop.web_url)
        self._products = list(observations.received)
        self._number = 0

    def act(self) -> None:
        """One reservation, which may be released in part or whole."""
        self._number += 1
        order_id = f"{self.observations.run}-{self.name}-{self._number}"
        product, quantity = self.rng.choice(self._products), self.rng.randint(1, 3)
        answer = self._request(product, "reserve", quantity, order_id)
        if answer.status_code == HTTPStatus.OK:
            self.observations.held_by_services[order_id, product] = quantity
            if self.rng.random() < 0.5:
                self._release(product, self.rng.randint(1, quantity), order_id)
        elif answer.status_code != HTTPStatus.CONFLICT:
            self.note_unexpected(answer, f"reserving {quantity} of {product} for {order_id}")
        self.pause(0.05, 0.2)

    def finish(self) -> None:
        """Closes its connections; reservations stay."""
        self._shop.http.close()

    def _release(self, product: str, quantity: int, order_id: str) -> None:
        answer = self._request(product, "release", quantity, order_id)
        if answer.status_code == HTTPStatus.OK:
            self.observations.held_by_services[order_id, product] -= answer.json()["releasedQuantity"]
        else:
            self.note_unexpected(answer, f"releasing {quantity} of {product} for {order_id}")

    def _request(self, product: str, action: str, quantity: int, order_id: str) -> httpx.Response:
        def send() -> httpx.Response:
            return self._shop.service(product, action, quantity, order_id)

        answer = request_until_answered(self.observations, send)
        if answer.status_code == HTTPStatus.OK and self.rng.random() < 0.3:
            again = request_until_answered(self.observations, send)
            if again.json() != answer.json():
                self.note_unexpected(again, f"{action} of {order_id} again, after {answer.text}")
        return answer
