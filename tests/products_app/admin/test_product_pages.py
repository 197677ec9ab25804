"""Products and stock in the admin: lists, receiving, adjusting, editing, and who may do which of it."""

import csv
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from products_app.documents.reading import Product
from products_app.exceptions import ProductNotFound
from products_app.selectors import get_product
from products_app.services.catalogue import create_product, update_product
from products_app.services.stock.service import settle
from tests.products_app.product_stock import (
    assert_conserved,
    movements_of,
    new_order,
    planted,
    reserve,
    spoil,
    stock_of,
    stocked,
)

pytestmark = pytest.mark.django_db

LIST = reverse("admin:products_app_product_changelist")
ADD = reverse("admin:products_app_product_add")
EXPORT = reverse("admin:products_app_product_export")
WORK = ("view_product", "receive_stock", "adjust_stock")
CATALOGUE = ("view_product", "add_product", "change_product", "delete_product")
REFUSED = 422


def clerk(*codenames: str) -> Client:
    """The browser of a member of staff with these permissions."""
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    browser = Client()
    browser.force_login(user)
    return browser


def page_of(name: str, product_id: str) -> str:
    return reverse(f"admin:products_app_product_{name}", args=[product_id])


def product(product_id: str) -> Product:
    return get_product(product_id=product_id, include_inactive=True)


def move(browser: Client, product_id: str, work: str, quantity: object, reason: str = "Delivery 7") -> Any:
    form = {
        "work": work,
        f"{work}-quantity": quantity,
        f"{work}-reason": reason,
        f"{work}-key": f"page-{work}",
    }
    return browser.post(page_of("stock", product_id), form)


def form_of(browser: Client, product_id: str) -> dict[str, Any]:
    """What a browser sends back of the page for editing: its fields, and what it has shown in them."""
    form = browser.get(page_of("change", product_id)).context["form"]
    sent: dict[str, Any] = {}
    for bound in form:
        for name in (bound.html_name, bound.html_initial_name):
            if bound.value() not in (False, None):
                sent[name] = bound.value()
    return sent


def names_in(page: Any) -> list[str]:
    return [each.name for each in page.context["page"].object_list]


def test_the_list_searches_filters_and_sorts() -> None:
    browser = clerk("view_product")
    create_product(name="Lantern", price=Decimal(20), stock=5, category="Lighting", sku="L-1")
    create_product(name="Lamp", price=Decimal(10), stock=0, category="Lighting")
    create_product(name="Bench", price=Decimal(90), stock=2, low_stock_at=3, is_active=False)
    assert names_in(browser.get(LIST)) == ["Bench", "Lamp", "Lantern"]
    found: dict[str, list[str]] = {
        "q=lan": ["Lantern"],
        "stock=low": ["Bench"],
        "stock=out": ["Lamp"],
        "stock=in&o=-price": ["Bench", "Lantern"],
        "sale=no": ["Bench"],
        "category=Lighting&sale=yes": ["Lamp", "Lantern"],
        "category=Unknown&o=nonsense&q=%00": ["Bench", "Lamp", "Lantern"],
    }
    assert {query: names_in(browser.get(f"{LIST}?{query}")) for query in found} == found
    assert "No product is like this." in browser.get(f"{LIST}?q=unheard").content.decode()
    assert names_in(browser.get(f"{LIST}?p=9")) == names_in(browser.get(LIST))


def test_the_list_costs_the_same_however_many_products_there_are(django_assert_max_num_queries: Any) -> None:
    browser = clerk("view_product")
    for number in range(60):
        create_product(name=f"Lamp {number:02}", price=Decimal(1), stock=number)
    with django_assert_max_num_queries(6):
        page = browser.get(LIST)
    assert len(names_in(page)) == 50
    assert "60 products" in page.content.decode()
    assert names_in(browser.get(f"{LIST}?p=2"))[-1] == "Lamp 59"


def test_what_is_filtered_is_exported_as_the_table_that_the_import_reads() -> None:
    browser = clerk("view_product")
    stocked(3, name="=Lantern")
    stocked(0, name="Lamp")
    answer: Iterable[bytes] = browser.get(f"{EXPORT}?stock=in").streaming_content  # type: ignore[attr-defined]
    rows = list(csv.DictReader(b"".join(answer).decode("utf-8-sig").splitlines()))
    assert [(row["name"], row["stock"]) for row in rows] == [("'=Lantern", "3")]


def test_a_delivery_and_an_adjustment_move_the_stock_once_and_say_who_and_why() -> None:
    browser, lamp = clerk(*WORK), stocked(5, name="Lamp")
    settle([reserve(new_order(), (lamp, 2))])
    for _ in range(2):  # the page sent twice
        assert move(browser, lamp, "receive", 20, "  Delivery 4711  ").status_code == 302
    assert move(browser, lamp, "adjust", -3, "Broken").status_code == 302
    user = User.objects.get(username="clerk")
    moved = [
        (each["kind"], each["quantity"], each["reason"], each["actor"]) for each in movements_of(lamp)[1:]
    ]
    assert moved == [
        ("receipt", 20, "Delivery 4711", f"staff:{user.pk}"),
        ("adjustment", -3, "Broken", f"staff:{user.pk}"),
    ]
    page = browser.get(page_of("stock", lamp))
    assert page.context["counts"].stock == 20
    assert page.context["counts"].held == 2
    assert "Delivery 4711" in page.content.decode()
    assert "clerk" in page.content.decode()
    assert [entry.object_repr for entry in LogEntry.objects.filter(object_id=lamp)] == ["Lamp"] * 2
    assert_conserved()


@pytest.mark.parametrize(
    ("work", "quantity", "reason", "sentence"),
    [
        ("adjust", -6, "Lost", "5 are in stock"),
        ("adjust", 0, "Lost", "0 changes nothing."),
        ("adjust", "many", "Lost", "Enter a whole number."),
        ("receive", 0, "Delivery", "greater than or equal to 1"),
        ("receive", 5, " ", "This field is required."),
        ("receive", 10**12, "Delivery", "less than or equal to"),
    ],
)
def test_what_cannot_be_moved_is_said_beside_its_field_and_changes_nothing(
    work: str, quantity: object, reason: str, sentence: str
) -> None:
    browser, lamp = clerk(*WORK), stocked(5)
    answer = move(browser, lamp, work, quantity, reason)
    assert answer.status_code == REFUSED
    assert sentence in answer.content.decode()
    assert "autofocus" in answer.content.decode()
    assert (stock_of(lamp), len(movements_of(lamp))) == (5, 1)


def test_the_same_page_with_other_values_is_refused() -> None:
    browser, lamp = clerk(*WORK), stocked(5)
    move(browser, lamp, "receive", 2)
    answer = move(browser, lamp, "receive", 3)
    assert answer.status_code == REFUSED
    assert "was sent before" in answer.content.decode()
    assert stock_of(lamp) == 7


def test_a_permission_is_needed_for_each_kind_of_work() -> None:
    lamp = stocked(5)
    browser = clerk("view_product", "receive_stock")
    page = browser.get(page_of("stock", lamp)).content.decode()
    assert "Receive a delivery" in page
    assert "Adjust the stock" not in page
    assert move(browser, lamp, "adjust", -1).status_code == 403
    for path in (ADD, page_of("change", lamp), page_of("delete", lamp)):
        assert (browser.get(path).status_code, browser.post(path).status_code) == (403, 403)
    assert stock_of(lamp) == 5
    User.objects.get(username="clerk").user_permissions.clear()
    holds = reverse("admin_product_holds", args=[lamp])
    assert {browser.get(path).status_code for path in (LIST, EXPORT, page_of("stock", lamp), holds)} == {403}


def test_an_edit_sets_what_was_changed_and_leaves_the_stock_to_the_orders() -> None:
    browser, lamp = clerk(*CATALOGUE), stocked(5, name="Lamp")
    form = form_of(browser, lamp)
    settle([reserve(new_order(), (lamp, 2))])
    update_product(product_id=lamp, brand="Brightside")
    answer = browser.post(
        page_of("change", lamp), form | {"name": "Lamp XL", "tags": "new, red", "price": "12.5"}
    )
    assert answer.status_code == 302
    edited = product(lamp)
    assert (edited.name, edited.tags, edited.price, edited.brand) == (
        "Lamp XL",
        ("new", "red"),
        Decimal("12.50"),
        "Brightside",
    )
    assert (edited.stock, edited.is_active) == (3, True)
    assert LogEntry.objects.get(object_id=lamp).change_message == "Changed: Name, Price, Tags."


def test_a_field_that_somebody_else_has_set_meanwhile_is_not_overwritten() -> None:
    browser, lamp = clerk(*CATALOGUE), stocked(5, name="Lamp")
    form = form_of(browser, lamp)
    update_product(product_id=lamp, price=Decimal(99))
    answer = browser.post(page_of("change", lamp), form | {"price": "12"})
    assert answer.status_code == REFUSED
    assert "Somebody else has set this meanwhile: 99.00" in answer.content.decode()
    assert product(lamp).price == Decimal("99.00")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", " ", "This field is required."),
        ("price", "-1", "greater than or equal to 0"),
        ("price", "1.005", "no more than 2 decimal places"),
        ("price", "cheap", "A valid number is required."),
        ("lowStockAt", "few", "Enter a whole number."),
        ("imageUrl", "javascript:alert(1)", "begins with https://"),
        ("sku", "TAKEN", "Another product has the SKU TAKEN."),
        ("tags", "x" * 51, "no more than 50 characters"),
    ],
)
def test_an_edit_that_is_wrong_is_said_beside_its_field(field: str, value: str, sentence: str) -> None:
    browser, lamp = clerk(*CATALOGUE), stocked(5, name="Lamp")
    create_product(name="Other", price=Decimal(1), sku="TAKEN")
    before = product(lamp)
    answer = browser.post(page_of("change", lamp), form_of(browser, lamp) | {field: value})
    assert answer.status_code == REFUSED
    assert any(sentence in error for error in answer.context["form"].errors[field])
    assert product(lamp) == before


def test_a_new_product_begins_with_its_first_movement() -> None:
    browser = clerk(*CATALOGUE)
    answer = browser.post(ADD, {"name": "Lamp", "price": "10", "stock": "7", "isActive": "on"})
    lamp = answer["Location"].split("/")[-3]
    assert (product(lamp).stock, product(lamp).is_active) == (7, True)
    assert [(each["kind"], each["quantity"]) for each in movements_of(lamp)] == [("initial", 7)]
    assert browser.post(ADD, {"name": "", "price": "x"}).status_code == REFUSED


def test_a_product_is_deleted_unless_orders_hold_pieces_of_it() -> None:
    browser, lamp, bench = clerk(*CATALOGUE), stocked(5, name="Lamp"), stocked(1, name="Bench")
    settle([reserve(new_order(), (lamp, 2))])
    refused = browser.post(page_of("delete", lamp), follow=True).content.decode()
    assert "Orders hold pieces" in refused
    assert "Delete Bench?" in browser.get(page_of("delete", bench)).content.decode()
    assert product(bench).name == "Bench"
    assert "Bench is deleted." in browser.post(page_of("delete", bench), follow=True).content.decode()
    with pytest.raises(ProductNotFound):
        product(bench)
    assert product(lamp).name == "Lamp"


def test_what_cannot_be_shown_says_why() -> None:
    browser, lamp = clerk(*WORK, *CATALOGUE), stocked(5)
    spoil(lamp, price="cheap")
    planted(name="", price=1, stock=1)
    for name in ("stock", "change", "delete"):
        answer = browser.get(page_of(name, lamp))
        assert answer.status_code == 409
        assert "check_catalogue" in answer.content.decode()
        assert {browser.get(page_of(name, each)).status_code for each in ("0" * 24, "nonsense")} == {404}
    assert names_in(browser.get(LIST)) == []


def test_texts_of_others_are_shown_as_text() -> None:
    browser = clerk(*WORK, *CATALOGUE)
    lamp = stocked(1, name="<script>alert(1)</script>")
    move(browser, lamp, "receive", 1, "<b>bold</b>")
    pages = [LIST, page_of("stock", lamp), page_of("change", lamp), page_of("delete", lamp)]
    for page in (browser.get(path).content.decode() for path in pages):
        assert "<script>alert" not in page
        assert "<b>bold" not in page


def test_more_than_can_be_counted_is_said_beside_its_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("products_app.services.stock.movements.MAX_COUNT", 10)
    desk = stocked(8)
    page = move(clerk(*WORK), desk, "receive", 3)
    assert page.status_code == REFUSED
    assert "than can be counted" in page.content.decode()
    assert stock_of(desk) == 8
