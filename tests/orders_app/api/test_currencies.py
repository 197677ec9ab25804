"""Prices, totals and what is stored, in currencies without decimals and with three, through the API."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.test import override_settings

from orders_app.models import OrderItem
from orders_app.money import to_minor_units
from orders_app.selectors import get_document
from orders_app.services.replay_orders import compare_orders
from products_app.services.check_catalogue import check_catalogue
from tests.orders_app.api.api_users import ADDRESS, ApiUser, order_body
from tests.orders_app.ordering import Catalogue, OrderPlacer, answer, reserved
from tests.orders_app.payments.charging import returned_for, settle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def currency(request: pytest.FixtureRequest, mongodb: str) -> Iterator[str]:
    """The installation has this currency, and the catalogue its rules."""
    with override_settings(CURRENCY=request.param):
        call_command("create_collections", verbosity=0)
        yield request.param
    call_command("create_collections", verbosity=0)


def place(customer: ApiUser, product_id: str, quantity: int) -> Any:
    body = {
        "items": [{"productId": product_id, "quantity": quantity}],
        "shippingAddress": ADDRESS,
        "paymentMethod": 1,
    }
    return customer.request("POST", "orders/", body)


@pytest.mark.parametrize(
    ("currency", "sent", "price", "total", "nothing"),
    [
        ("JPY", "1250", "1250", "3750", "0"),
        ("JPY", "0", "0", "0", "0"),
        ("KWD", "0.125", "0.125", "0.375", "0.000"),
        ("KWD", "7", "7.000", "21.000", "0.000"),
        ("USD", "12.5", "12.50", "37.50", "0.00"),
    ],
    indirect=["currency"],
)
def test_amounts_have_the_decimals_of_the_currency(  # noqa: PLR0917
    staff: ApiUser,
    customer: ApiUser,
    catalogue: Catalogue,
    currency: str,
    sent: str,
    price: str,
    total: str,
    nothing: str,
) -> None:
    created = staff.request("POST", "products/", {"name": "Lantern", "price": sent, "stock": 9}).json()
    assert created["price"] == price
    placed = place(customer, created["id"], 3)
    assert placed.status_code == 201
    shown = customer.request("GET", f"orders/{placed.json()['id']}/").json()
    for order in (placed.json(), shown, customer.request("GET", "orders/").json()["results"][0]):
        amounts = (
            order["totalAmount"],
            order["currency"],
            order["items"][0]["price"],
            order["refundedAmount"],
        )
        assert amounts == (total, currency, price, nothing)
    assert str(OrderItem.objects.get().price) == price
    assert list(compare_orders([UUID(placed.json()["id"])])) == []


@pytest.mark.parametrize(
    ("currency", "price"), [("JPY", "12.50"), ("KWD", "0.1255"), ("USD", "0.125")], indirect=["currency"]
)
def test_a_price_with_more_decimals_than_the_currency_has_is_refused(
    staff: ApiUser, currency: str, price: str
) -> None:
    response = staff.request("POST", "products/", {"name": "Lantern", "price": price})
    assert response.status_code == 400
    assert [error["attr"] for error in response.json()["errors"]] == ["price"]


@pytest.mark.parametrize("currency", ["JPY"], indirect=True)
def test_a_price_of_another_currency_is_not_sold_until_it_is_mended(
    customer: ApiUser, catalogue: Catalogue, currency: str
) -> None:
    cents = catalogue.plant(price=12.5)
    assert place(customer, cents, 1).status_code == 400
    found = {each.product_id: each for each in check_catalogue(repair=True)}
    assert "at most 0 decimals" in found[cents].reason
    assert place(customer, cents, 1).json()["totalAmount"] == "12"


@pytest.mark.parametrize("currency", ["KWD"], indirect=True)
def test_orders_sort_by_totals_of_all_decimals(
    customer: ApiUser, placer: OrderPlacer, catalogue: Catalogue, currency: str
) -> None:
    for price in ("2.000", "0.125", "10.5"):
        place(customer, catalogue.add(price=price), 1)
    listed = customer.request("GET", "orders/?ordering=totalAmount").json()["results"]
    assert [Decimal(order["totalAmount"]) for order in listed] == [
        Decimal("0.125"),
        Decimal(2),
        Decimal("10.5"),
    ]


@pytest.mark.usefixtures("payment_sandbox")
@pytest.mark.parametrize(
    ("currency", "price", "part", "finer"),
    [("JPY", "1250", "250", "0.5"), ("KWD", "1.255", "0.125", "0.1255")],
    indirect=["currency"],
)
def test_an_order_is_paid_and_given_back_in_the_decimals_of_the_currency(  # noqa: PLR0917
    customer: ApiUser, staff: ApiUser, catalogue: Catalogue, currency: str, price: str, part: str, finer: str
) -> None:
    body = {"paymentMethod": 1, "paymentToken": "pm_card_visa"}
    placed = customer.request("POST", "orders/", order_body((catalogue.add(price=price), 1), **body)).json()
    order = get_document(UUID(placed["id"]))
    answer(reserved(order))
    settle(order)
    path = f"orders/{order.id}/"
    [attempt] = customer.request("GET", f"{path}payments/").json()["attempts"]
    assert (attempt["amount"], attempt["currency"]) == (price, currency)
    refused = staff.request("POST", f"{path}refund/", {"amount": finer, "reason": "Broken."})
    assert refused.status_code == 400
    taken_back = staff.request("POST", f"{path}refund/", {"amount": part, "reason": "Broken."})
    assert taken_back.status_code == 202
    settle(order)
    assert customer.request("GET", path).json()["refundedAmount"] == part
    assert returned_for(order) == to_minor_units(Decimal(part), currency)
