"""`products/export/` and `products/import/` over HTTP."""

from decimal import Decimal

import pytest

from products_app.documents.movements import movement_collection
from products_app.services.catalogue import create_product
from tests.products_app.api.callers import PRODUCTS, error_of, user

pytestmark = pytest.mark.django_db

TABLE = "sku,name,price,stock\nL-1,Lantern,1,3\nL-2,,1,3\n"


def test_staff_export_the_catalogue_and_import_it_again() -> None:
    create_product(name="=Lantern", price=Decimal(1), sku="L-1")
    staff = user(is_staff=True)
    answer = staff.get(f"{PRODUCTS}export/", HTTP_ACCEPT="text/csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "products.csv" in answer["Content-Disposition"]
    table = answer.getvalue()
    assert table.startswith(b"\xef\xbb\xbfid,sku,name,")
    assert b",'=Lantern," in table
    report = staff.generic("POST", f"{PRODUCTS}import/", table.decode(), content_type="text/csv").json()
    assert report == {"rows": 1, "created": 0, "changed": 0, "unchanged": 1, "faults": []}


def test_an_import_names_faults_by_line_and_the_person_in_its_movements() -> None:
    staff = user(is_staff=True)
    url = f"{PRODUCTS}import/"
    dry = staff.generic("POST", f"{url}?dryRun=true", TABLE, content_type="text/csv").json()
    assert movement_collection().count_documents({}) == 0
    report = staff.generic("POST", url, TABLE, content_type="text/csv").json()
    assert dry == report
    [fault] = report.pop("faults")
    assert report == {"rows": 2, "created": 1, "changed": 0, "unchanged": 0}
    assert (fault["line"], fault["column"], fault["code"]) == (3, "name", "blank")
    assert [each["actor"] for each in movement_collection().find()] == ["staff:7"]


def test_what_is_no_table_and_who_is_no_staff_is_refused() -> None:
    staff, customer = user(is_staff=True), user(is_staff=False)
    url = f"{PRODUCTS}import/"
    assert error_of(staff.generic("POST", url, "name\n", content_type="text/csv"))[:2] == (
        400,
        "table_unreadable",
    )
    assert error_of(staff.generic("POST", url, "", content_type="text/csv"))[:2] == (
        400,
        "table_unreadable",
    )
    assert error_of(staff.post(url, {"name": "x"}))[:2] == (415, "unsupported_media_type")
    assert error_of(staff.generic("POST", f"{url}?dryRun=7", TABLE, content_type="text/csv")) == (
        400,
        "invalid",
        "dryRun",
    )
    assert error_of(customer.generic("POST", url, TABLE, content_type="text/csv"))[0] == 403
    assert error_of(customer.get(f"{PRODUCTS}export/"))[0] == 403
