"""ETag, If-Match and If-None-Match of a product: no change undoes what the caller has not seen."""

from collections.abc import Callable

import pytest
from bson import ObjectId

from products_app.services import catalogue
from products_app.services.catalogue import update_product
from products_app.services.stock.service import settle
from tests.concurrency import insert_rival
from tests.products_app.api.callers import PRODUCTS, Answer, Json, error_of, user
from tests.products_app.product_stock import (
    assert_conserved,
    new_order,
    reserve,
    spoil,
    stock_of,
    stocked,
)
from tests.wsgi_client import WsgiClient

CHANGED = (412, "product_changed", None)
BODY: Json = {"name": "Lantern", "price": "10.00"}


@pytest.fixture
def staff() -> WsgiClient:
    return user(is_staff=True)


@pytest.fixture
def url() -> str:
    return f"{PRODUCTS}{stocked(10)}/"


def product_id(url: str) -> str:
    return url.removeprefix(PRODUCTS).rstrip("/")


def etag(url: str) -> str:
    return str(WsgiClient().get(url)["ETag"])


def sell(url: str, pieces: int = 7) -> None:
    settle([reserve(new_order(), (product_id(url), pieces))])


def put(staff: WsgiClient, url: str, body: Json, **headers: str) -> Answer:
    return staff.put(
        url, BODY | body, headers={name.replace("_", "-"): each for name, each in headers.items()}
    )


def test_a_put_of_an_old_stock_is_refused_after_a_sale(staff: WsgiClient, url: str) -> None:
    read = staff.get(url)
    sell(url)
    assert error_of(staff.put(url, read.json())) == (428, "precondition_required", None)
    assert error_of(put(staff, url, read.json(), If_Match=read["ETag"])) == CHANGED
    assert stock_of(product_id(url)) == 3
    now = staff.get(url)
    assert put(staff, url, now.json() | {"stock": 5}, If_Match=now["ETag"]).json()["stock"] == 5
    assert_conserved()


def test_a_put_of_an_unknown_product_is_not_found_whatever_it_holds(staff: WsgiClient) -> None:
    answer = put(staff, "/api/v1/products/ffffffffffffffffffffffff/", {"stock": 5})
    assert error_of(answer)[:2] == (404, "not_found")


def test_the_stock_is_set_without_a_condition_by_patch_alone(staff: WsgiClient, url: str) -> None:
    sell(url)
    assert staff.patch(url, {"stock": 20}).json()["stock"] == 20
    assert staff.put(url, BODY | {"name": "Lamp"}).status_code == 200
    assert stock_of(product_id(url)) == 20
    assert_conserved()


CHANGES: list[Json] = [
    {"name": "Lamp"},
    {"description": "Burns oil"},
    {"price": "10.01"},
    {"category": "Light"},
    {"stock": 11},
    {"lowStockAt": 11},
    {"imageUrl": "/a.png"},
    {"sku": "L-1"},
    {"brand": "Acme"},
    {"tags": ["oil"]},
    {"isActive": False},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_every_change_gives_another_etag(staff: WsgiClient, url: str, change: Json) -> None:
    before = staff.get(url)["ETag"]
    changed = staff.patch(url, change)
    assert changed["ETag"] == staff.get(url)["ETag"] != before
    assert error_of(staff.patch(url, {"name": "x"}, headers={"If-Match": before})) == CHANGED


def test_a_sale_and_another_program_change_the_etag_and_a_look_does_not(url: str) -> None:
    first = etag(url)
    assert etag(url) == first
    sell(url, 1)
    second = etag(url)
    spoil(product_id(url), brand="Acme")
    assert len({first, second, etag(url)}) == 3


@pytest.mark.parametrize(
    ("if_match", "is_let_in"),
    [
        ("{}", True),
        ('"other", {}', True),
        ('{}, W/"x"', True),
        ("*", True),
        ("W/{}", False),
        ('"other"', False),
        ("", False),
        ("unquoted", False),
    ],
)
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_if_match_compares_strongly(
    staff: WsgiClient, url: str, method: str, if_match: str, is_let_in: bool
) -> None:
    headers = {"If-Match": if_match.format(etag(url))}
    answer = getattr(staff, method)(url, BODY | {"stock": 4}, headers=headers)
    assert (answer.status_code < 300) == is_let_in
    if not is_let_in:
        assert error_of(answer) == CHANGED
        assert stock_of(product_id(url)) == 10


@pytest.mark.parametrize(
    ("if_none_match", "is_let_in"), [("*", False), ("{}", False), ("W/{}", False), ('"other"', True)]
)
def test_if_none_match_refuses_a_change_of_the_named_product(
    staff: WsgiClient, url: str, if_none_match: str, is_let_in: bool
) -> None:
    answer = staff.patch(url, BODY, headers={"If-None-Match": if_none_match.format(etag(url))})
    assert (answer.status_code == 200) == is_let_in


@pytest.mark.parametrize("if_none_match", ["*", "{}", "W/{}", '"other", {}'])
def test_a_get_of_a_product_that_the_caller_has_is_a_304(url: str, if_none_match: str) -> None:
    answer = WsgiClient().get(url, headers={"If-None-Match": if_none_match.format(etag(url))})
    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag(url))
    sell(url, 1)
    if if_none_match != "*":
        assert WsgiClient().get(url, headers={"If-None-Match": '"other"'}).status_code == 200


def test_an_unknown_product_is_a_404_whatever_the_condition(staff: WsgiClient) -> None:
    absent = f"{PRODUCTS}{ObjectId()}/"
    for method in (staff.put, staff.patch, staff.delete):
        for condition in ("*", '"other"'):
            assert error_of(method(absent, BODY, headers={"If-Match": condition})) == (404, "not_found", None)


def test_what_cannot_be_read_has_no_etag(staff: WsgiClient, url: str) -> None:
    old = etag(url)
    spoil(product_id(url), price="call us")
    assert error_of(staff.patch(url, {"price": "1"}, headers={"If-Match": old})) == CHANGED
    assert staff.patch(url, {"price": "1"}, headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_sale_between_check_and_write_is_seen(
    staff: WsgiClient, url: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert_rival(monkeypatch, catalogue, "require_readable_counts", lambda: sell(url, 1))
    answer = getattr(staff, method)(url, {"stock": 10}, headers={"If-Match": etag(url)})
    assert error_of(answer) == CHANGED
    assert stock_of(product_id(url)) == 9


def test_a_sale_in_the_middle_delays_no_change_without_a_condition(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert_rival(monkeypatch, catalogue, "unchanged", lambda: sell(url, 1))
    assert update_product(product_id=product_id(url), name="Lamp").stock == 9


def test_two_changes_of_texts_at_once_leave_the_words_of_both(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival: Callable[[], object] = lambda: update_product(product_id=product_id(url), brand="Acme")  # noqa: E731
    insert_rival(monkeypatch, catalogue, "unchanged", rival)
    update_product(product_id=product_id(url), name="Lamp")
    assert WsgiClient().get(f"{PRODUCTS}?search=acme lamp").json()["count"] == 1


def test_the_forms_of_a_page_are_filled_from_the_product_without_its_stock(staff: WsgiClient) -> None:
    update_product(product_id=(lamp := stocked(4711, name="Brass lamp")), brand="Acme & Sons")
    page = staff.get(f"{PRODUCTS}{lamp}/", headers={"Accept": "text/html"}).content.decode()
    form = page.partition('name="_content"')[2].partition("</textarea>")[0]
    assert "Brass lamp" in form
    assert "stock&quot;" not in form
    assert "4711" not in form


@pytest.mark.parametrize("path", ["", "{}/", "{}/reserve/", "{}/release/", f"{'0' * 24}/"])
def test_options_answers_every_caller(staff: WsgiClient, url: str, path: str) -> None:
    for client in (staff, user(is_staff=False), WsgiClient()):
        answer = client.options(f"{PRODUCTS}{path.format(product_id(url))}")
        assert answer.status_code in {200, 401, 403}, answer.content


def test_options_tells_staff_what_a_change_takes(staff: WsgiClient, url: str) -> None:
    assert "stock" in staff.options(url).json()["actions"]["PUT"]
    assert "actions" not in WsgiClient().options(url).json()
