"""POST orders/: accepted bodies, refusals with their field, and repeated requests."""

import json
from typing import Any
from uuid import UUID

import pytest

from foundation.shared_connection import shared_connection
from orders_app.models import Order
from orders_app.services.place_order import PLACING, service
from products_app.exceptions import CatalogueUnavailable
from tests.adapters import TO_THE_VIEW
from tests.orders_app.api.api_users import ADDRESS, ApiUser, attributes, codes, order_body
from tests.orders_app.ordering import OrderPlacer, all_that_is_stored

ID = "665f1f77bcf86cd799439011"
with_orders = pytest.mark.django_db(transaction=True)


def item(**fields: object) -> dict[str, Any]:
    return order_body() | {"items": [{"productId": ID, "quantity": 1} | fields]}


def address(**fields: object) -> dict[str, Any]:
    return order_body((ID, 1)) | {"shippingAddress": ADDRESS | fields}


REFUSED_BODIES: dict[str, tuple[object, str | None, str]] = {
    "an array": ([], "non_field_errors", "invalid"),
    "null": (b"null", "non_field_errors", "invalid"),
    "no items": (order_body(), "items", "empty"),
    "101 items": (order_body(*[(ID, 1)] * 101), "items", "max_length"),
    "items that are no list": (order_body(items={}), "items", "not_a_list"),
    "a line without a product": (
        order_body(items=[{"quantity": 1}]),
        "items.0.productId",
        "required",
    ),
    "an operator as product": (item(productId={"$gt": ""}), "items.0.productId", "invalid"),
    "an empty product": (item(productId=""), "items.0.productId", "blank"),
    "an endless product": (item(productId="a" * 65), "items.0.productId", "max_length"),
    "no quantity": (order_body(items=[{"productId": ID}]), "items.0.quantity", "required"),
    "quantity 0": (item(quantity=0), "items.0.quantity", "min_value"),
    "quantity -5": (item(quantity=-5), "items.0.quantity", "min_value"),
    "quantity 1.5": (item(quantity=1.5), "items.0.quantity", "invalid"),
    "quantity 1.0": (item(quantity=1.0), "items.0.quantity", "invalid"),
    "quantity as text": (item(quantity="2"), "items.0.quantity", "invalid"),
    "quantity true": (item(quantity=True), "items.0.quantity", "invalid"),
    "quantity null": (item(quantity=None), "items.0.quantity", "null"),
    "quantity too large": (item(quantity=1_000_001), "items.0.quantity", "max_value"),
    "quantity endless": (item(quantity=10**40), "items.0.quantity", "max_value"),
    "no address": (
        {"items": [{"productId": ID, "quantity": 1}], "paymentMethod": 6},
        "shippingAddress",
        "required",
    ),
    "an address of text": (order_body((ID, 1), shippingAddress="here"), "shippingAddress", "invalid"),
    "a blank street": (address(street="   "), "shippingAddress.street", "blank"),
    "a NUL in the city": (address(city="Lee\x00"), "shippingAddress.city", "null_characters_not_allowed"),
    "an endless country": (address(country="x" * 101), "shippingAddress.country", "max_length"),
    "payment method 0": (order_body((ID, 1), paymentMethod=0), "paymentMethod", "invalid_choice"),
    "payment method 8": (order_body((ID, 1), paymentMethod=8), "paymentMethod", "invalid_choice"),
    "payment method as text": (order_body((ID, 1), paymentMethod="6"), "paymentMethod", "invalid_choice"),
    "an address without a street": (
        order_body((ID, 1), shippingAddress={"city": "Lee", "country": "US"}),
        "shippingAddress.street",
        "required",
    ),
    "quantity beyond all floats": (
        json.dumps(item(quantity="number")).replace('"number"', "1e400").encode(),
        "items.0.quantity",
        "invalid",
    ),
    "broken JSON": (b'{"items": [', None, "parse_error"),
    "no UTF-8": (b'{"items": [{"productId": "\xff", "quantity": 1}]}', None, "parse_error"),
    "half a surrogate": (b'{"items": [{"productId": "\\ud800", "quantity": 1}]}', None, "parse_error"),
}


@pytest.mark.parametrize("case", REFUSED_BODIES)
def test_an_invalid_body_is_refused_by_field_without_a_query(case: str) -> None:
    body, attribute, code = REFUSED_BODIES[case]
    response = ApiUser(1).request("POST", "orders/", body)
    assert (response.status_code, attributes(response), codes(response)) == (400, [attribute], [code])
    assert "regex" not in response.json()["errors"][0]["detail"]


ALL_WRONG = {
    "items": [{"quantity": "2"}, {"productId": ID, "quantity": 0}, "a lamp"],
    "shippingAddress": {"street": 5, "city": " ", "zipCode": "x" * 21, "country": None},
    "paymentMethod": 9,
}
PAYMENT_METHODS = (
    "1 (Credit card), 2 (Debit card), 3 (UPI), 4 (Net banking), 5 (Wallet), 6 (Cash on delivery), 7 (Stripe)"
)


def test_all_faults_of_a_body_are_named_at_once() -> None:
    response = ApiUser(1).request("POST", "orders/", ALL_WRONG)
    assert [(error["attr"], error["code"], error["detail"]) for error in response.json()["errors"]] == [
        ("items.0.productId", "required", "This field is required."),
        ("items.0.quantity", "invalid", "A valid integer is required."),
        ("items.1.quantity", "min_value", "Ensure this value is greater than or equal to 1."),
        ("items.2", "invalid", "Invalid data. Expected a dictionary, but got str."),
        ("shippingAddress.street", "invalid", "Not a valid string."),
        ("shippingAddress.city", "blank", "This field may not be blank."),
        ("shippingAddress.zipCode", "max_length", "Ensure this field has no more than 20 characters."),
        ("shippingAddress.country", "null", "This field may not be null."),
        (
            "paymentMethod",
            "invalid_choice",
            f'"9" is not a valid choice: {PAYMENT_METHODS}.',
        ),
    ]
    nothing = ApiUser(1).request("POST", "orders/", {})
    assert attributes(nothing) == ["items", "shippingAddress", "paymentMethod"]


def test_of_very_many_faults_the_first_are_named() -> None:
    response = ApiUser(1).request("POST", "orders/", order_body(*[("", 0)] * 100))
    assert len(attributes(response)) == 50


@with_orders
@pytest.mark.parametrize("absent", [{}, {"state": "", "zipCode": ""}])
def test_an_address_needs_neither_state_nor_zip_code(
    placer: OrderPlacer, customer: ApiUser, absent: dict[str, str]
) -> None:
    address = {"street": "9 Peak Road", "city": "Hong Kong", "country": "Hong Kong"} | absent
    order = customer.request(
        "POST", "orders/", order_body((placer.catalogue.add(), 1), shippingAddress=address)
    )
    assert order.status_code == 201
    assert order.json()["shippingAddress"] == address | {"state": "", "zipCode": ""}
    assert customer.request("GET", f"orders/{order.json()['id']}/").json() == order.json()


@with_orders
def test_a_body_may_begin_with_a_byte_order_mark(placer: OrderPlacer, customer: ApiUser) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(order_body((placer.catalogue.add(), 1))).encode()
    for adapter in ({}, TO_THE_VIEW):
        assert customer.request("POST", "orders/", body, adapter).status_code == 201


@with_orders
def test_names_prices_and_total_of_an_order_come_from_the_catalogue(
    placer: OrderPlacer, customer: ApiUser
) -> None:
    lamp, rope = placer.catalogue.add("Lamp", "19.99"), placer.catalogue.add("Rope", "0.10")
    body = order_body((lamp, 1), (rope, 3), (lamp, 2), totalAmount="0.01", status=4, userId="1")
    body["items"][0] |= {"price": "0.01", "productName": "Free lamp"}
    response = customer.request("POST", "orders/", body)
    order = response.json()
    assert response.status_code == 201
    assert response["Location"] == f"/api/v1/orders/{order['id']}/"
    assert "Idempotent-Replayed" not in response
    assert order["items"] == [
        {"productId": lamp, "productName": "Lamp", "quantity": 3, "price": "19.99"},
        {"productId": rope, "productName": "Rope", "quantity": 3, "price": "0.10"},
    ]
    shown = {name: order[name] for name in ("totalAmount", "status", "statusLabel", "stockStatus", "userId")}
    assert shown == {
        "totalAmount": "60.27",
        "status": 1,
        "statusLabel": "Pending",
        "stockStatus": "pending",
        "userId": str(placer.user_id),
    }
    assert (order["shippingAddress"], order["paymentMethod"], order["version"]) == (ADDRESS, 6, 1)
    assert UUID(order["id"]).version == 7
    assert order["createdAt"].endswith("Z")
    assert customer.request("GET", f"orders/{order['id']}/").json() == order


@with_orders
def test_an_order_needs_one_statement(
    placer: OrderPlacer, customer: ApiUser, django_assert_num_queries: Any
) -> None:
    body = order_body((placer.catalogue.add(), 1))
    with django_assert_num_queries(1, connection=shared_connection(PLACING)):
        assert customer.request("POST", "orders/", body).status_code == 201


@with_orders
def test_an_order_with_products_that_cannot_be_sold_names_their_lines(
    placer: OrderPlacer, customer: ApiUser
) -> None:
    good, retired = placer.catalogue.add(), placer.catalogue.add("Old Lamp", is_active=False)
    before = all_that_is_stored()
    unknown = customer.request("POST", "orders/", order_body((good, 1), (ID, 1), ("no-id", 1)))
    assert unknown.status_code == 400
    assert attributes(unknown) == ["items.1.productId", "items.2.productId"]
    assert codes(unknown) == ["product_not_found"] * 2
    inactive = customer.request("POST", "orders/", order_body((good, 1), (retired.upper(), 1)))
    assert (inactive.status_code, attributes(inactive)) == (400, ["items.1.productId"])
    assert codes(inactive) == ["product_inactive"]
    assert "Old Lamp" in inactive.json()["errors"][0]["detail"]
    assert all_that_is_stored() == before


@with_orders
def test_an_order_above_the_limits_is_refused(placer: OrderPlacer, customer: ApiUser) -> None:
    before = all_that_is_stored()
    lamp = placer.catalogue.add(price="9999999999.99")
    for lines in ([(lamp, 600_000)] * 2, [(lamp, 1_000)]):
        response = customer.request("POST", "orders/", order_body(*lines))
        assert (response.status_code, codes(response)) == (400, ["order_too_large"])
    assert all_that_is_stored() == before


@with_orders
def test_the_same_key_and_body_give_the_same_order_in_its_current_state(
    placer: OrderPlacer, customer: ApiUser
) -> None:
    body, key = order_body((placer.catalogue.add(), 2)), {"Idempotency-Key": "a key of mine"}
    first = customer.request("POST", "orders/", body, key)
    customer.request("PATCH", f"orders/{first.json()['id']}/cancel/")
    again = customer.request("POST", "orders/", body, key)
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert again["Location"] == first["Location"]
    assert again.json() == customer.request("GET", f"orders/{first.json()['id']}/").json()
    assert Order.objects.count() == 1


@with_orders
def test_the_same_key_with_the_same_pieces_in_other_lines_gives_the_same_order(
    placer: OrderPlacer, customer: ApiUser
) -> None:
    lamp, rope, key = (
        placer.catalogue.add(),
        placer.catalogue.add("Rope"),
        {"Idempotency-Key": "a key of mine"},
    )
    first = customer.request("POST", "orders/", order_body((lamp, 3), (rope, 1)), key)
    for lines in ([(rope, 1), (lamp, 3)], [(lamp, 1), (rope, 1), (lamp.upper(), 2)]):
        again = customer.request("POST", "orders/", order_body(*lines), key)
        assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
        assert again.json() == first.json()
    other = customer.request("POST", "orders/", order_body((rope, 3), (lamp, 1)), key)
    assert (other.status_code, codes(other)) == (422, ["idempotency_key_reused"])
    assert Order.objects.count() == 1


@with_orders
def test_the_same_key_with_another_body_is_refused(placer: OrderPlacer, customer: ApiUser) -> None:
    lamp, key = placer.catalogue.add(), {"Idempotency-Key": "a key of mine"}
    assert customer.request("POST", "orders/", order_body((lamp, 2)), key).status_code == 201
    before = all_that_is_stored()
    response = customer.request("POST", "orders/", order_body((lamp, 3)), key)
    assert (response.status_code, codes(response)) == (422, ["idempotency_key_reused"])
    assert all_that_is_stored() == before


@with_orders
def test_two_customers_may_use_the_same_key(placer: OrderPlacer, customer: ApiUser, other: ApiUser) -> None:
    body, key = order_body((placer.catalogue.add(), 2)), {"Idempotency-Key": "a key of mine"}
    ids = {user.request("POST", "orders/", body, key).json()["id"] for user in (customer, other)}
    assert len(ids) == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\xe9", "tab\there"])
def test_an_invalid_key_is_refused(key: str) -> None:
    response = ApiUser(1).request("POST", "orders/", order_body((ID, 1)), {"Idempotency-Key": key})
    assert (response.status_code, attributes(response)) == (400, ["Idempotency-Key"])


@with_orders
def test_an_order_in_an_outage_of_the_catalogue_is_a_503_with_retry_after(
    placer: OrderPlacer, customer: ApiUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(_: object) -> None:
        raise CatalogueUnavailable("mongo-1.internal:27017 timed out")

    monkeypatch.setattr(service, "find_products_to_order", down)
    before = all_that_is_stored()
    response = customer.request("POST", "orders/", order_body((ID, 1)))
    assert (response.status_code, codes(response)) == (503, ["catalogue_unavailable"])
    assert response["Retry-After"] == "5"
    assert b"internal" not in response.content
    assert all_that_is_stored() == before


@with_orders
def test_a_token_of_a_deleted_user_places_nothing(placer: OrderPlacer) -> None:
    before = all_that_is_stored()
    response = ApiUser(99_999_999).request("POST", "orders/", order_body((placer.catalogue.add(), 1)))
    assert (response.status_code, codes(response)) == (401, ["customer_not_found"])
    assert all_that_is_stored() == before
