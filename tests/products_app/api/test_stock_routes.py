from collections.abc import Iterator

import pytest

from products_app.messages import InventoryReserved, StockLine
from products_app.models import ServiceKey
from products_app.services.stock.service import Release, settle
from tests.products_app.api.callers import PRODUCTS, Answer, error_of, service, user
from tests.products_app.product_stock import assert_conserved, entry_of, new_order, reserve, stock_of, stocked
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db(transaction=True)  # the key lookup uses another connection


@pytest.fixture(autouse=True)
def conserved(catalogue: None) -> Iterator[None]:
    yield
    assert_conserved()


@pytest.fixture
def service_client() -> WsgiClient:
    return service()


def call(client: WsgiClient, product_id: str, action: str, order_id: object, quantity: object) -> Answer:
    return client.post(f"{PRODUCTS}{product_id}/{action}/", {"quantity": quantity, "orderId": order_id})


def test_reserve_takes_the_stock_once(service_client: WsgiClient) -> None:
    lamp, order = stocked(10), new_order()
    for _ in range(2):
        answer = call(service_client, lamp, "reserve", order, 4)
        assert answer.status_code == 200
        assert answer.json() == {
            "productId": lamp,
            "productName": "Lantern",
            "reservedQuantity": 4,
            "newStock": 6,
            "orderId": order,
        }
    assert stock_of(lamp) == 6


def test_release_returns_the_stock_once(service_client: WsgiClient) -> None:
    lamp, order = stocked(4), new_order()
    call(service_client, lamp, "reserve", order, 4)
    assert WsgiClient().get(f"{PRODUCTS}{lamp}/").json()["inStock"] is False
    for _ in range(2):
        answer = call(service_client, lamp, "release", order, 5)
        assert answer.status_code == 200
        assert answer.json() == {
            "productId": lamp,
            "productName": "Lantern",
            "releasedQuantity": 4,
            "newStock": 4,
            "orderId": order,
        }
    assert WsgiClient().get(f"{PRODUCTS}{lamp}/").json()["inStock"] is True


def test_the_id_may_be_in_capital_letters(service_client: WsgiClient) -> None:
    lamp, order = stocked(4), new_order()
    call(service_client, lamp.upper(), "reserve", order, 4)
    assert call(service_client, lamp, "reserve", order, 4).json()["productId"] == lamp
    assert stock_of(lamp) == 0


def test_too_little_stock_is_a_conflict_that_names_the_stock(service_client: WsgiClient) -> None:
    lamp = stocked(3)
    answer = call(service_client, lamp, "reserve", new_order(), 4)
    assert error_of(answer) == (409, "insufficient_stock", None)
    assert answer.json()["availableStock"] == 3
    assert "3 can be sold" in answer.json()["errors"][0]["detail"]
    assert stock_of(lamp) == 3


def test_an_inactive_product_is_a_conflict(service_client: WsgiClient) -> None:
    lamp = stocked(3, is_active=False)
    assert error_of(call(service_client, lamp, "reserve", new_order(), 1)) == (409, "product_inactive", None)
    assert stock_of(lamp) == 3


def test_another_quantity_is_a_conflict(service_client: WsgiClient) -> None:
    lamp, order = stocked(10), new_order()
    call(service_client, lamp, "reserve", order, 4)
    assert error_of(call(service_client, lamp, "reserve", order, 5)) == (409, "quantity_conflict", None)
    assert stock_of(lamp) == 6


def test_a_released_order_is_a_conflict(service_client: WsgiClient) -> None:
    lamp, order = stocked(10), new_order()
    settle([Release(order)])
    assert error_of(call(service_client, lamp, "reserve", order, 4)) == (409, "released", None)
    assert stock_of(lamp) == 10


def test_a_rejected_order_is_a_conflict(service_client: WsgiClient) -> None:
    lamp, order = stocked(10), new_order()
    settle([reserve(order, (lamp, 11))])
    assert error_of(call(service_client, lamp, "reserve", order, 4)) == (409, "rejected", None)
    assert stock_of(lamp) == 10


def test_a_release_without_a_reservation_releases_nothing(service_client: WsgiClient) -> None:
    lamp, order = stocked(10), new_order()
    answer = call(service_client, lamp, "release", order, 4)
    assert (answer.status_code, answer.json()["releasedQuantity"]) == (200, 0)
    assert error_of(call(service_client, lamp, "reserve", order, 4)) == (409, "released", None)
    assert stock_of(lamp) == 10


def test_calls_and_messages_share_the_ledger(service_client: WsgiClient) -> None:
    lamp, order = stocked(10), new_order()
    call(service_client, lamp, "reserve", order, 4)
    assert settle([reserve(order, (lamp, 4))]) == [InventoryReserved(order, [StockLine(lamp, 4, 6)])]
    settle([Release(order)])
    assert call(service_client, lamp, "release", order, 4).json()["releasedQuantity"] == 0
    assert stock_of(lamp) == 10


@pytest.mark.parametrize("action", ["reserve", "release"])
@pytest.mark.parametrize("product_id", ["0" * 24, "no-product"])
def test_an_unknown_product_is_not_found(service_client: WsgiClient, action: str, product_id: str) -> None:
    order = new_order()
    assert error_of(call(service_client, product_id, action, order, 4)) == (404, "not_found", None)
    assert entry_of(order) is None


@pytest.mark.parametrize("action", ["reserve", "release"])
@pytest.mark.parametrize("quantity", [0, -5, 1_000_001, 1.5, 2.0, "2", True, None, [1], {"$gt": 0}])
def test_an_invalid_quantity_is_refused(service_client: WsgiClient, action: str, quantity: object) -> None:
    lamp, order = stocked(2_000_000), new_order()
    status, _, field = error_of(call(service_client, lamp, action, order, quantity))
    assert (status, field) == (400, "quantity")
    assert entry_of(order) is None
    assert stock_of(lamp) == 2_000_000


@pytest.mark.parametrize("action", ["reserve", "release"])
@pytest.mark.parametrize("order_id", ["", "x" * 65, 7, None, ["x"], {"$ne": ""}])
def test_an_order_id_that_is_not_text_is_refused(
    service_client: WsgiClient, action: str, order_id: object
) -> None:
    lamp = stocked(3)
    status, _, field = error_of(call(service_client, lamp, action, order_id, 1))
    assert (status, field) == (400, "orderId")
    assert stock_of(lamp) == 3


@pytest.mark.parametrize("body", ["{", "[]", '"x"', ""])
def test_a_body_that_is_not_an_object_is_refused(service_client: WsgiClient, body: str) -> None:
    lamp = stocked(3)
    answer = service_client.post(f"{PRODUCTS}{lamp}/reserve/", body, content_type="application/json")
    assert answer.status_code == 400
    assert stock_of(lamp) == 3


@pytest.mark.parametrize("action", ["reserve", "release"])
@pytest.mark.parametrize(
    "caller",
    [
        WsgiClient(),
        user(is_staff=False),
        user(is_staff=True),
        WsgiClient(HTTP_AUTHORIZATION="Api-Key abcdefgh.wrong"),
        WsgiClient(HTTP_AUTHORIZATION="Api-Key"),
    ],
    ids=["anonymous", "customer", "staff", "wrong key", "no key"],
)
def test_only_a_service_key_gives_access(caller: WsgiClient, action: str) -> None:
    lamp, order = stocked(3), new_order()
    answer = call(caller, lamp, action, order, 1)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Api-Key")
    assert entry_of(order) is None
    assert stock_of(lamp) == 3


def test_a_key_releases_what_it_reserved_alone(service_client: WsgiClient) -> None:
    lamp, order, another = stocked(10), new_order(), service()
    assert call(service_client, lamp, "reserve", order, 4).status_code == 200
    for action in ("release", "reserve"):
        answer = call(another, lamp, action, order, 4)
        assert error_of(answer) == (409, "reserved_by_another", None)
        assert "by another service key" in answer.json()["errors"][0]["detail"]
    assert stock_of(lamp) == 6
    assert call(service_client, lamp, "release", order, 4).json()["releasedQuantity"] == 4


def test_a_key_neither_releases_nor_confirms_what_a_message_reserved(service_client: WsgiClient) -> None:
    lamp, order = stocked(10), new_order()
    settle([reserve(order, (lamp, 4))])
    before = entry_of(order)
    for action in ("release", "reserve"):
        answer = call(service_client, lamp, action, order, 4)
        assert error_of(answer) == (409, "reserved_by_another", None)
        assert "by a message on Kafka" in answer.json()["errors"][0]["detail"]
    assert entry_of(order) == before
    assert stock_of(lamp) == 6


def test_the_successor_of_a_key_releases_what_the_key_reserved() -> None:
    lamp, order = stocked(10), new_order()
    key, text = ServiceKey.issue(name="shop")
    call(WsgiClient(HTTP_AUTHORIZATION=f"Api-Key {text}"), lamp, "reserve", order, 4)
    for _ in range(2):
        key, text = key.rotate()
    successor = WsgiClient(HTTP_AUTHORIZATION=f"Api-Key {text}")
    assert call(successor, lamp, "release", order, 4).json()["releasedQuantity"] == 4
