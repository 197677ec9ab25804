"""Orders as a client places them."""

import uuid
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection

from devtools.benchmarks.figures import MeasurementFailed
from devtools.benchmarks.load import Request, request_bytes

ADDRESS = {
    "street": "1 Bridge St",
    "city": "Stockbridge",
    "state": "MA",
    "zipCode": "01262",
    "country": "US",
}
CREDIT_CARD, CASH_ON_DELIVERY = 1, 6
VISA = "pm_card_visa"
"""The token of a card that pays."""
NUMBER = "NUMBER-HERE"
"""Where a request for the load generator has its number."""
ORDERS_PATH = "/api/v1/orders/"


def order_body(
    products: Sequence[str], payment_method: int = CASH_ON_DELIVERY, payment_token: str = ""
) -> bytes:
    """The body of a request for an order of one piece of each of these products."""
    items = ",".join(f'{{"productId":"{product}","quantity":1}}' for product in products)
    address = ",".join(f'"{name}":"{value}"' for name, value in ADDRESS.items())
    payment = f'"paymentMethod":{payment_method}' + f',"paymentToken":"{payment_token}"' * bool(payment_token)
    return f'{{"items":[{items}],"shippingAddress":{{{address}}},{payment}}}'.encode()


def place_on(connection: HTTPConnection, token: str, body: bytes) -> str:
    """Places one order on an open connection; returns its id. Raises MeasurementFailed unless it is 201."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Idempotency-Key": uuid.uuid4().hex,
    }
    connection.request("POST", ORDERS_PATH, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    if answer.status != 201:
        raise MeasurementFailed(text)
    return text.partition('"id":"')[2].partition('"')[0]


def placement(
    token: str,
    products: Sequence[str],
    *,
    key: str,
    headers: Mapping[str, str] | None = None,
    is_prepaid: bool = False,
) -> Request:
    """A request of the load generator for an order of these products; `key` is its Idempotency-Key.

    The number of the request takes the place of NUMBER in the key; a key without it is used again and again.
    With `is_prepaid` the order is paid by card.
    """
    numbered = {} if NUMBER in key else {"X-Number": NUMBER}
    sent = {"Authorization": f"Bearer {token}", "Idempotency-Key": key, **numbered, **(headers or {})}
    body = order_body(products, CREDIT_CARD, VISA) if is_prepaid else order_body(products)
    return request_bytes("POST", ORDERS_PATH, headers=sent, body=body, number_in=NUMBER)
