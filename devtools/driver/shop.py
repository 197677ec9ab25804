"""A shop seen from outside: the actions of customers, staff and services, over HTTP and WebSocket."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from websockets.sync.client import ClientConnection, connect

from devtools.driver.patience import PATIENCE_SECONDS

T = TypeVar("T")
Json = dict[str, Any]

ADDRESS = {"street": "1 Bridge St", "city": "Stockbridge", "state": "MA", "zipCode": "01262", "country": "US"}
CUSTOMER_PASSWORD = "correct-horse-battery"
DEMO_PASSWORD = "stockbridge-demo"
"""Of all users of `seed_demo`."""
CREDIT_CARD, CASH_ON_DELIVERY = 1, 6
PENDING, PROCESSING, SHIPPED, DELIVERED, CANCELLED = 1, 2, 3, 4, 5
PAYMENT_PENDING, PAID, PAYMENT_FAILED, REFUNDED = 1, 2, 3, 4


def eventually(probe: Callable[[], T], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """The first truthy value that `probe` gives; fails with `what` and the last value after `seconds`."""
    end = time.monotonic() + seconds
    while not (value := probe()):
        assert time.monotonic() < end, f"not within {seconds} s: {what} (last seen: {value!r})"
        time.sleep(0.02)
    return value


@dataclass
class Listener:
    """An authenticated, subscribed socket that keeps every message that it receives."""

    connection: ClientConnection
    received: list[Json] = field(default_factory=list)

    def next(self, seconds: float = PATIENCE_SECONDS) -> Json:
        """The next message; fails after `seconds`."""
        message: Json = json.loads(self.connection.recv(timeout=seconds))
        self.received.append(message)
        return message

    def wait_for(self, kind: str, order_id: str, seconds: float = PATIENCE_SECONDS) -> Json:
        """The first message of this type about this order, received already or still to come."""
        end = time.monotonic() + seconds
        position = 0
        while True:
            for message in self.received[position:]:
                if message["type"] == kind and message.get("orderId") == order_id:
                    return message
            position = len(self.received)
            assert time.monotonic() < end, f"no {kind} of {order_id} in {seconds} s; received {self.received}"
            self.next(max(0.01, end - time.monotonic()))


@dataclass
class Caller:
    """A customer or staff member with an access token."""

    http: httpx.Client
    ws_url: str
    token: str
    refresh_token: str
    user_id: str = ""
    name: str = ""

    def renew(self) -> None:
        """Exchanges the refresh token for a new pair of tokens."""
        answer = self.http.post("/api/v1/auth/token/refresh/", json={"refresh": self.refresh_token})
        assert answer.status_code == 200, answer.text
        self.token, self.refresh_token = answer.json()["access"], answer.json()["refresh"]

    def call(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | kwargs.pop("headers", {})
        return self.http.request(method, f"/api/v1/{path}", headers=headers, **kwargs)

    def place(
        self,
        *lines: tuple[str, int],
        payment_method: int = CASH_ON_DELIVERY,
        payment_token: str = "",
        key: str = "",
    ) -> Json:
        """Places an order of (product id, quantity) lines; fails on any answer but 201."""
        body = {
            "items": [{"productId": product, "quantity": quantity} for product, quantity in lines],
            "shippingAddress": ADDRESS,
            "paymentMethod": payment_method,
        }
        if payment_token:
            body["paymentToken"] = payment_token
        answer = self.call("POST", "orders/", json=body, headers={"Idempotency-Key": key} if key else {})
        assert answer.status_code == 201, answer.text
        order: Json = answer.json()
        return order

    def pay(self, order_id: str, payment_token: str) -> httpx.Response:
        """Asks for another attempt to pay."""
        return self.call("POST", f"orders/{order_id}/pay/", json={"paymentToken": payment_token})

    def order(self, order_id: str) -> Json:
        answer = self.call("GET", f"orders/{order_id}/")
        assert answer.status_code == 200, answer.text
        order: Json = answer.json()
        return order

    def wait_for_status(self, order_id: str, status: int, seconds: float = PATIENCE_SECONDS) -> Json:
        """Waits until the order has this status; returns the order."""
        return self._wait_until(order_id, "status", status, seconds)

    def wait_for_stock_status(
        self, order_id: str, stock_status: str, seconds: float = PATIENCE_SECONDS
    ) -> Json:
        """Waits until the order has this stock status; returns the order."""
        return self._wait_until(order_id, "stockStatus", stock_status, seconds)

    def wait_for_payment_status(
        self, order_id: str, payment_status: int, seconds: float = PATIENCE_SECONDS
    ) -> Json:
        """Waits until the order has this payment status; returns the order."""
        return self._wait_until(order_id, "paymentStatus", payment_status, seconds)

    def _wait_until(self, order_id: str, field: str, value: int | str, seconds: float) -> Json:
        last: Json = {}

        def reached() -> bool:
            last.update(self.order(order_id))
            return bool(last[field] == value)

        eventually(reached, f"order {order_id} with {field} {value}", seconds)
        return last

    @contextmanager
    def listening(self, last_event_id: str | None = None) -> Iterator[Listener]:
        """Opens a socket that has authenticated and subscribed."""
        with connect(self.ws_url) as connection:
            authenticate = {"type": "authenticate", "token": self.token}
            replay = {"lastEventId": last_event_id} if last_event_id else {}
            connection.send(json.dumps(authenticate | replay))
            listener = Listener(connection)
            assert listener.next()["type"] == "connected"
            connection.send(json.dumps({"type": "subscribe:orders"}))
            assert listener.next()["type"] == "subscribed:orders"
            yield listener


@dataclass
class Shop:
    """A running system, by its URLs."""

    web_url: str
    ws_url: str
    service_key: str
    staff_name: str = "sam"
    staff_password: str = DEMO_PASSWORD

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.web_url, timeout=15)
        self.staff = self.log_in(self.staff_name, self.staff_password)

    def log_in(self, username: str, password: str) -> Caller:
        answer = self.http.post("/api/v1/auth/token/", json={"username": username, "password": password})
        assert answer.status_code == 200, answer.text
        return Caller(self.http, self.ws_url, answer.json()["access"], answer.json()["refresh"])

    def new_customer(self) -> Caller:
        name = f"customer-{uuid.uuid4().hex[:12]}"
        body = {"username": name, "email": f"{name}@example.com", "password": CUSTOMER_PASSWORD}
        answer = self.http.post("/api/v1/auth/register/", json=body)
        assert answer.status_code == 201, answer.text
        tokens = answer.json()
        user_id = tokens["user"]["id"]
        return Caller(self.http, self.ws_url, tokens["access"], tokens["refresh"], user_id, name)

    def new_product(self, stock: int, price: str = "10.00", name: str = "Lantern") -> str:
        """Creates a product with this stock; returns its id."""
        body = {
            "name": name,
            "description": "For tests",
            "price": price,
            "category": "tests",
            "stock": stock,
            "sku": uuid.uuid4().hex,
            "brand": "Acme",
        }
        answer = self.staff.call("POST", "products/", json=body)
        assert answer.status_code == 201, answer.text
        product_id: str = answer.json()["id"]
        return product_id

    def product(self, product_id: str) -> Json:
        answer = self.staff.call("GET", f"products/{product_id}/")
        assert answer.status_code == 200, answer.text
        product: Json = answer.json()
        return product

    def wait_for_stock(self, product_id: str, stock: int, seconds: float = PATIENCE_SECONDS) -> None:
        last: list[int] = [-1]

        def reached() -> bool:
            last[0] = self.product(product_id)["stock"]
            return last[0] == stock

        eventually(reached, f"stock {stock} of {product_id} (last {last})", seconds)

    def set_status(self, order_id: str, status: int) -> httpx.Response:
        return self.staff.call("PATCH", f"orders/{order_id}/status/", json={"status": status})

    def service(self, product_id: str, action: str, quantity: object, order_id: str) -> httpx.Response:
        """Calls reserve or release with the service key."""
        return self.http.post(
            f"/api/v1/products/{product_id}/{action}/",
            json={"quantity": quantity, "orderId": order_id},
            headers={"Authorization": f"Api-Key {self.service_key}"},
        )
