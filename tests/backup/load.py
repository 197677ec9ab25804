"""Customers who place, pay and cancel orders while a backup is made and until the stores are destroyed."""

import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx

from devtools.driver.shop import ADDRESS, CASH_ON_DELIVERY, CREDIT_CARD, Caller, Json, Shop

VISA = "pm_card_visa"
PAUSE_SECONDS = 0.03


@dataclass
class Known:
    """What a customer knows of an order: that it was taken, and whether its cancellation was."""

    order_id: str
    is_prepaid: bool
    cancelled: bool = False


@dataclass
class Load:
    """Runs until `stop` is set; `known` has every order that was answered with 201."""

    products: Sequence[str]
    known: dict[str, Known] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, customer: Caller, web_url: str, seed: int) -> None:
        """Act as one customer, who asks again later where nobody answers."""
        rng = random.Random(seed)
        with httpx.Client(base_url=web_url, timeout=5) as http:
            caller = Caller(http, "", customer.token, customer.refresh_token)
            mine: list[Known] = []
            while not self.stop.wait(PAUSE_SECONDS):
                with suppress(httpx.TransportError):
                    self._act(rng, caller, mine)

    def _act(self, rng: random.Random, caller: Caller, mine: list[Known]) -> None:
        answer = caller.call("POST", "orders/", json=self._body(rng))
        if answer.status_code == 201:
            order = answer.json()
            known = Known(order["id"], order["paymentMethod"] == CREDIT_CARD)
            self.known[known.order_id] = known
            mine.append(known)
        if mine and rng.random() < 0.3:
            each = rng.choice(mine[-20:])
            each.cancelled |= caller.call("PATCH", f"orders/{each.order_id}/cancel/").status_code == 200
        unpaid = [each for each in mine[-20:] if each.is_prepaid and not each.cancelled]
        if unpaid and rng.random() < 0.3:
            caller.pay(rng.choice(unpaid).order_id, VISA)

    def _body(self, rng: random.Random) -> Json:
        lines = [{"productId": each, "quantity": rng.randint(1, 3)} for each in rng.sample(self.products, 2)]
        body: Json = {"items": lines, "shippingAddress": ADDRESS, "paymentMethod": CASH_ON_DELIVERY}
        if rng.random() < 0.6:
            body["paymentMethod"] = CREDIT_CARD
            if rng.random() < 0.7:
                body["paymentToken"] = VISA
        return body


@contextmanager
def load_on(shop: Shop, *, customers: int, products: int) -> Iterator[Load]:
    """So many customers at work, who order of so many products, until the block ends."""
    load = Load([shop.new_product(100_000) for _ in range(products)])
    callers = [shop.new_customer() for _ in range(customers)]
    threads = [
        threading.Thread(target=load.run, args=[caller, shop.web_url, seed], daemon=True)
        for seed, caller in enumerate(callers)
    ]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stop.set()
        for thread in threads:
            thread.join(10)
