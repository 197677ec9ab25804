"""What customers do on the pages of the shop, by Django's test client."""

import re
from typing import Any

from bson import ObjectId
from django.http import HttpResponseBase
from django.test import Client

from tests.orders_app.ordering import Catalogue

ADDRESS = {
    "street": "1 Bridge St",
    "zip_code": "01262",
    "city": "Stockbridge",
    "state": "MA",
    "country": "US",
}
ON_DELIVERY, BY_CARD = "6", "1"


def change_product(catalogue: Catalogue, product_id: str, **fields: object) -> None:
    """Change these fields of a product in the catalogue."""
    catalogue.products.update_one({"_id": ObjectId(product_id)}, {"$set": fields})


def put_into_cart(browser: Client, product_id: str, quantity: object = 1, **more: str) -> Any:
    """Send the form of a product's page; the page that it leads to."""
    form = {"product_id": product_id, "quantity": quantity} | more
    return browser.post("/cart/", form, follow=True)


def hidden_fields(page: HttpResponseBase) -> dict[str, str]:
    """The hidden fields of the checkout, by name."""
    content = page.content.decode()  # type: ignore[attr-defined]  # of a page
    found = re.findall(r'<input type="hidden" name="(order_key|shown)" value="([^"]*)"', content)
    return dict(found)


def checkout_form(browser: Client, method: str = ON_DELIVERY, **changes: str) -> dict[str, str]:
    """What the page of the checkout sends for this payment method."""
    page = browser.get("/checkout/")
    assert page.status_code == 200, page
    return hidden_fields(page) | ADDRESS | {"payment_method": method, "card": "visa"} | changes
