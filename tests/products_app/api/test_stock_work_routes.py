"""`POST products/{id}/receive/` and `adjust/`: shapes, refusals, repetition."""

import pytest

from products_app.services.stock.service import settle
from tests.products_app.api.callers import PRODUCTS, Json, error_of, user
from tests.products_app.product_stock import (
    assert_conserved,
    movements_of,
    new_order,
    reserve,
    stock_of,
    stocked,
)
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db

RECEIPT: Json = {"quantity": 5, "reason": " Delivery 4711 "}


@pytest.fixture
def staff() -> WsgiClient:
    return user(is_staff=True)


@pytest.fixture
def lamp() -> str:
    return stocked(10)


def url(product_id: str, action: str) -> str:
    return f"{PRODUCTS}{product_id}/{action}/"


def test_a_delivery_is_answered_with_its_movement(staff: WsgiClient, lamp: str) -> None:
    settle([reserve(new_order(), (lamp, 4))])
    answer = staff.post(url(lamp, "receive"), RECEIPT)
    body = answer.json()
    movement = body.pop("movement")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert body == {"productId": lamp, "productName": "Lantern", "newStock": 11, "received": 15}
    assert movement.pop("time").endswith("Z")
    assert movement == {
        "id": str(movements_of(lamp)[-1]["_id"]),
        "kind": "receipt",
        "quantity": 5,
        "reason": "Delivery 4711",
        "actor": "staff:7",
        "changes": {"stock": {"from": 6, "to": 11}, "received": {"from": 10, "to": 15}},
    }


def test_an_adjustment_below_nothing_is_a_conflict_with_what_there_is(staff: WsgiClient, lamp: str) -> None:
    settle([reserve(new_order(), (lamp, 7))])
    refused = staff.post(url(lamp, "adjust"), {"quantity": -4, "reason": "Broken"})
    assert error_of(refused) == (409, "insufficient_stock", None)
    assert refused.json()["availableStock"] == 3
    assert staff.post(url(lamp, "adjust"), {"quantity": -3, "reason": "Broken"}).json()["newStock"] == 0
    assert_conserved()


def test_the_same_request_again_gets_the_same_answer(staff: WsgiClient, lamp: str) -> None:
    key = {"Idempotency-Key": "delivery-4711"}
    first = staff.post(url(lamp, "receive"), RECEIPT, headers=key)
    settle([reserve(new_order(), (lamp, 4))])
    again = staff.post(url(lamp, "receive"), RECEIPT, headers=key)
    assert again.json() == first.json()
    assert stock_of(lamp) == 11
    other = staff.post(url(lamp, "receive"), RECEIPT | {"quantity": 6}, headers=key)
    assert error_of(other) == (422, "idempotency_key_reused", None)
    wrong = staff.post(url(lamp, "receive"), RECEIPT, headers={"Idempotency-Key": ""})
    assert error_of(wrong) == (400, "invalid", "Idempotency-Key")
    assert stock_of(lamp) == 11


@pytest.mark.parametrize("action", ["receive", "adjust"])
@pytest.mark.parametrize(
    ("change", "attr"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": 1.5}, "quantity"),
        ({"quantity": "5"}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"quantity": 1_000_000_001}, "quantity"),
        ({"reason": " "}, "reason"),
        ({"reason": "a\x00b"}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": None}, "reason"),
    ],
)
def test_a_wrong_field_is_refused_by_name(
    staff: WsgiClient, lamp: str, action: str, change: Json, attr: str
) -> None:
    status, _, field = error_of(staff.post(url(lamp, action), RECEIPT | change))
    assert (status, field) == (400, attr)
    missing = {name: value for name, value in RECEIPT.items() if name != attr}
    assert error_of(staff.post(url(lamp, action), missing))[::2] == (400, attr)
    assert stock_of(lamp) == 10


def test_a_delivery_is_more_than_nothing(staff: WsgiClient, lamp: str) -> None:
    assert error_of(staff.post(url(lamp, "receive"), RECEIPT | {"quantity": -5}))[::2] == (400, "quantity")


@pytest.mark.parametrize("action", ["receive", "adjust"])
def test_an_unknown_product_is_not_found(staff: WsgiClient, action: str) -> None:
    for product_id in ("0" * 24, "no-product"):
        assert error_of(staff.post(url(product_id, action), RECEIPT)) == (404, "not_found", None)


def test_the_movement_of_a_set_stock_names_who_set_it(staff: WsgiClient) -> None:
    created = staff.post(PRODUCTS, {"name": "Rope", "price": "1.00", "stock": 3}).json()
    staff.patch(f"{PRODUCTS}{created['id']}/", {"stock": 5})
    assert [(each["kind"], each["actor"]) for each in movements_of(created["id"])] == [
        ("initial", "staff:7"),
        ("correction", "staff:7"),
    ]


@pytest.mark.parametrize("action", ["receive", "adjust"])
def test_the_browsable_page_offers_an_example(staff: WsgiClient, lamp: str, action: str) -> None:
    page = staff.get(url(lamp, action), headers={"Accept": "text/html"})
    assert page.status_code == 405
    assert "&quot;reason&quot;" in page.content.decode()
