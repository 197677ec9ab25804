"""The catalogue as a table: what is exported can be imported, and a row changes what it says and no more."""

import csv
import time
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products_app.api.catalogue_table import read_cell
from products_app.documents.movements import movement_collection
from products_app.documents.product import product_collection
from products_app.selectors import find_products, get_product
from products_app.services.catalogue import create_product
from products_app.services.catalogue_table import importing
from products_app.services.catalogue_table.cells import in_one_cell, tags_in, with_formula, without_formula
from products_app.services.catalogue_table.export import export_catalogue
from products_app.services.catalogue_table.importing import ImportReport, import_catalogue
from products_app.services.catalogue_table.rows import TableUnreadable
from products_app.services.stock.service import settle
from tests.concurrency import run_together
from tests.products_app.foreign_documents import SELLABLE
from tests.products_app.product_stock import assert_conserved, new_order, planted, reserve

Rows = list[dict[str, str]]
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\uff1d")


def exported() -> str:
    out = StringIO()
    export_catalogue(out)
    return out.getvalue()


def rows_of(table: str) -> Rows:
    return list(csv.DictReader(StringIO(table.removeprefix("\ufeff"), newline="")))


def imported(table: str, *, dry_run: bool = False) -> ImportReport:
    lines = StringIO(table, newline="")
    return import_catalogue(lines, read_cell=read_cell, actor="service:test", dry_run=dry_run)


def figures(report: ImportReport) -> tuple[int, int, int, int]:
    return report.created, report.changed, report.unchanged, len(report.faults)


def faults(report: ImportReport) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.column, fault.code) for fault in report.faults]


def with_rows(rows: Rows) -> str:
    out = StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def documents() -> list[dict[str, Any]]:
    return list(product_collection().find().sort("_id"))


def test_what_is_exported_changes_nothing_when_it_is_imported() -> None:
    create_product(
        name="=1+1",
        price=Decimal("19.90"),
        stock=3,
        sku="'-7",
        tags=["a,b", 'c"d', "-e"],
        brand="Éclair\r\nline",
    )
    create_product(name="Lantern", price=Decimal(1), description="a;b\tc", is_active=False, low_stock_at=2)
    for fields in SELLABLE:
        planted(**fields)
    before = documents()
    table = exported()
    assert figures(imported(table)) == (0, 0, len(before), 0)
    semicolons = StringIO()
    csv.writer(semicolons, delimiter=";").writerows(csv.reader(StringIO(table, newline="")))
    assert figures(imported(semicolons.getvalue())) == (0, 0, len(before), 0)
    assert documents() == before


def test_no_cell_begins_as_a_formula_and_products_that_cannot_be_read_are_left_out() -> None:
    for beginning in FORMULAS:
        create_product(name="x", price=Decimal(1), description=f"{beginning}1", tags=[f"{beginning}1", "b"])
    planted(price="twelve")
    table = rows_of(exported())
    assert len(table) == 7
    assert [cell for row in table for cell in row.values() if cell.startswith(FORMULAS)] == []


@given(st.text(alphabet="'=+-@\t\ra\uff1d", max_size=6))
def test_a_text_that_is_marked_as_no_formula_is_read_back(text: str) -> None:
    assert with_formula(without_formula(text)) == text
    assert not without_formula(text).startswith(FORMULAS)


@given(st.lists(st.text(alphabet=',"\r\n a', min_size=1).map(str.strip).filter(bool)))
def test_tags_in_one_cell_are_read_back(tags: list[str]) -> None:
    assert tags_in(in_one_cell(tags)) == tags


def test_a_row_with_an_sku_creates_a_product_and_again_changes_nothing() -> None:
    table = 'sku,name,price,stock,tags,lowStockAt\nL-1,Lantern,19.9,7,"oil, brass",3\n'
    assert figures(imported(table, dry_run=True)) == (1, 0, 0, 0)
    assert documents() == []
    assert figures(imported(table)) == (1, 0, 0, 0)
    [lamp] = find_products(include_inactive=True, search="brass")[0:9]
    assert (lamp.name, lamp.price, lamp.stock, lamp.tags) == (
        "Lantern",
        Decimal("19.90"),
        7,
        ("oil", "brass"),
    )
    assert (lamp.low_stock_at, lamp.is_active) == (3, True)
    [movement] = movement_collection().find()
    assert (movement["kind"], movement["quantity"], movement["actor"]) == ("initial", 7, "service:test")
    assert figures(imported(table)) == (0, 0, 1, 0)
    assert len(documents()) == 1
    assert_conserved()


def test_a_row_changes_what_it_names_and_leaves_the_rest() -> None:
    lamp = create_product(
        name="Lantern", price=Decimal(5), stock=7, sku="L-1", brand="Acme", description="old"
    )
    report = imported("sku,price,description,isActive,stock\nL-1,6.50,,FALSE,\n")
    assert figures(report) == (0, 1, 0, 0)
    changed = get_product(product_id=lamp.id, include_inactive=True)
    assert (changed.price, changed.description, changed.is_active) == (Decimal("6.50"), "", False)
    assert (changed.name, changed.stock, changed.brand) == ("Lantern", 7, "Acme")
    assert changed.updated > lamp.updated


def test_a_new_name_is_found_and_an_sku_can_be_changed_by_id() -> None:
    lamp = create_product(name="Lantern", price=Decimal(5), sku="L-1")
    assert figures(imported(f"id,sku,name\n{lamp.id},L-2,Torch\n")) == (0, 1, 0, 0)
    [found] = find_products(include_inactive=True, search="torch")[0:9]
    assert (found.id, found.sku) == (lamp.id, "L-2")


def test_an_edited_stock_is_a_movement_and_undoes_nothing_that_was_sold() -> None:
    edited, sold, both = (
        str(create_product(name=name, price=Decimal(1), stock=10, sku=name).id) for name in ("a", "b", "c")
    )
    rows = rows_of(exported())
    settle([reserve(new_order(), (sold, 4), (both, 4))])
    rows[0]["stock"] = rows[2]["stock"] = "15"
    report = imported(with_rows(rows))
    assert (figures(report), faults(report)) == ((0, 1, 1, 1), [(4, "stock", "stock_changed")])
    stocks = [get_product(product_id=each, include_inactive=True).stock for each in (edited, sold, both)]
    assert stocks == [15, 6, 6]
    last = movement_collection().find_one({"kind": "correction"})
    assert last
    assert (last["quantity"], last["reason"]) == (5, "Import of the catalogue.")
    for row in rows:
        row["stockAtExport"] = ""
    assert figures(imported(with_rows(rows))) == (0, 2, 1, 0)
    assert_conserved()


def test_rows_with_faults_are_named_by_line_and_the_others_are_imported() -> None:
    create_product(name="Taken", price=Decimal(1), sku="T-1")
    odd = planted(price="twelve")
    table = (
        "id,sku,name,price,stock,tags\r\n"
        ',A-1,"two\r\nlines",1,,\r\n'  # lines 2 and 3: right
        ",A-2,,x,-1,\r\n"  # 4: three cells
        ",,No SKU,1,,\r\n"  # 5
        "ffffffffffffffffffffffff,,Gone,1,,\r\n"  # 6
        ",A-1,Again,1,,\r\n"  # 7: as line 2
        ",A-3,short\r\n"  # 8
        ",,,,,\r\n"  # 9: empty
        ',A-4,Tags,1,,"a,,b"\r\n'  # 10: an empty tag
        f"{odd},,x,1,,\r\n"  # 11
        ",A-5,\udcff,1,,\r\n"  # 12: not UTF-8
        ",A-6,Right,1,3,\r\n"  # 13: right
        "nonsense,T-1,,,,\r\n"  # 14
    )
    report = imported(table)
    assert faults(report) == [
        (4, "name", "blank"),
        (4, "price", "invalid"),
        (4, "stock", "min_value"),
        (5, "sku", "required"),
        (6, "id", "not_found"),
        (7, "", "repeated"),
        (8, "", "cells"),
        (10, "tags", "blank"),
        (11, "", "product_unreadable"),
        (12, "name", "not_utf8"),
        (14, "id", "not_found"),
    ]
    assert (report.rows, report.created) == (11, 2)


def test_an_sku_of_another_product_is_refused_within_the_file_too() -> None:
    first, second = (create_product(name=name, price=Decimal(1), sku=name) for name in ("a", "b"))
    report = imported(f"id,sku\n{first.id},b\n{second.id},c\n")
    assert faults(report) == [(2, "sku", "sku_taken")]
    report = imported(f"id,sku,name,price\n{first.id},d,a,1\n,d,New,1\n")
    assert faults(report) == [(3, "", "repeated")]


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("", "names the columns"),
        ("name,price\nLantern,1\n", "names the columns"),
        ("sku,colour\nL-1,red\n", "no column 'colour'"),
        ("sku,name,name\nL-1,a,b\n", "name is there twice"),
        ('"sku\n', "no CSV"),
    ],
)
def test_what_is_no_table_is_refused_whole(table: str, sentence: str) -> None:
    with pytest.raises(TableUnreadable, match=sentence):
        imported(table)


def test_a_table_that_breaks_off_in_the_middle_is_imported_up_to_there() -> None:
    report = imported('sku,name,price\nL-1,Lantern,1\nL-2,"Torch,1\n')
    assert (report.created, faults(report)) == (1, [(3, "", "unreadable")])


def test_parts_are_imported_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "PART_ROWS", 2)
    table = "sku,name,price\n" + "".join(f"S-{number % 4},x,{number}\n" for number in range(5))
    report = imported(table)
    assert (report.rows, report.created, faults(report)) == (5, 4, [(6, "", "repeated")])


def test_an_import_beside_orders_loses_no_piece() -> None:
    create_product(name="Lantern", price=Decimal(1), stock=100, sku="L-1")
    lamp = str(documents()[0]["_id"])
    tables = [f"sku,stock,name\nL-1,{stock},Lantern {stock}\n" for stock in (150, 70, 90)]

    def sell() -> None:
        for _ in range(5):
            settle([reserve(new_order(), (lamp, 1))])

    run_together(sell, sell, *(lambda table=table: imported(table) for table in tables))
    assert_conserved()
    movements = movement_collection().find({"product": documents()[0]["_id"]})
    assert sum(each["quantity"] for each in movements) == documents()[0]["received"]


@pytest.mark.thorough
@pytest.mark.timeout(300)
def test_a_hundred_thousand_rows_are_imported_in_a_minute() -> None:
    description = "A brass lantern with a handle of oiled wood and glass for the garden or a boat"
    rows = (
        f'S-{number},Lantern {number},{description},9.90,Light,Acme,"oil, brass",{number % 50},5\n'
        for number in range(100_000)
    )
    header = "sku,name,description,price,category,brand,tags,stock,lowStockAt\n"
    seen: list[int] = []
    begun = time.monotonic()
    report = import_catalogue(
        [header, *rows], read_cell=read_cell, actor="service:test", progress=seen.append
    )
    seconds = time.monotonic() - begun
    assert (report.created, report.faults) == (100_000, [])
    assert len(seen) == 200
    assert seconds < 60
