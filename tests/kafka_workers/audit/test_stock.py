"""The audit of stock: products and ledger, compared in one snapshot."""

import threading
from io import StringIO
from typing import Any

import pytest
from bson import ObjectId
from django.core.management import CommandError, call_command
from prometheus_client import REGISTRY

from devtools.stack.server import Server
from kafka_workers.audit import auditing as audit_module
from products_app.documents.ledger import ledger_collection
from products_app.documents.product import product_collection
from products_app.services.stock import audit as stock_audit
from products_app.services.stock.audit import (
    ProductBalance,
    read_stock,
)
from products_app.services.stock.repair import correct_stock, restore_entry
from products_app.services.stock.service import Release, settle
from tests.concurrency import insert_rival, run_together
from tests.kafka_workers.audit.conftest import Shop
from tests.products_app.foreign_documents import name_of
from tests.products_app.lines import release_line, reserve_line
from tests.products_app.product_stock import (
    KEY,
    assert_conserved,
    entry_of,
    new_order,
    planted,
    reserve,
    spoil,
    stock_of,
    stocked,
    unrecord,
)

pytestmark = pytest.mark.django_db(transaction=True)


def no_progress(_: int) -> None:
    """Progress that is not shown."""


def drift() -> float | None:
    return REGISTRY.get_sample_value("stockbridge_stock_drift_pieces")


def test_orders_of_external_services_count_for_the_stock_and_not_as_orders(
    closed_shop: Shop, lantern: str
) -> None:
    settle([reserve(new_order(), (lantern, 3)), reserve("external-7", (lantern, 2))])
    reserve_line(order_id="external-8", product_id=lantern, quantity=2, key=KEY)
    release_line(order_id="external-8", product_id=lantern, quantity=1, key=KEY)
    report = closed_shop.audit()
    assert (report["exitCode"], report["differences"]) == (0, [])
    assert (report["products"], report["entries"], report["orders"]) == (1, 3, 0)


def test_a_stock_changed_by_hand_is_found_reported_and_repaired(closed_shop: Shop, lantern: str) -> None:
    settle([reserve(new_order(), (lantern, 3))])
    closed_shop.change_product(lantern, {"$set": {"stock": 9}})
    report = closed_shop.audit()
    [difference] = report["differences"]
    assert report["exitCode"] == 1
    assert (difference["kind"], difference["id"]) == ("product", lantern)
    assert difference["fact"] == "stock 9, 10 received, 3 held (Lantern)"
    assert difference["mend"] == "With --repair the stock becomes 7"
    assert report["driftPieces"] == drift() == 2
    assert closed_shop.audit("--repair")["exitCode"] == 0
    assert stock_of(lantern) == 7
    closed_shop.assert_clean()
    assert drift() == 0


def test_the_report_for_people_is_in_lines(closed_shop: Shop, lantern: str) -> None:
    closed_shop.change_product(lantern, {"$set": {"stock": 9}})
    bell = product_collection().insert_one({"name": "Bell", "price": 1, "stock": 4}).inserted_id
    out = StringIO()
    with pytest.raises(CommandError, match=r"1 differences, 1 pieces of drift\."):
        call_command("audit_stock", stdout=out)
    assert out.getvalue().splitlines() == [
        f"product {lantern}: stock 9, 10 received, 0 held (Lantern). With --repair the stock becomes 10",
        f"Not counted yet, until something of them is reserved: {bell}.",
        "2 products, 0 ledger entries and 0 orders audited, 1 differences, 0 repaired.",
    ]


def test_too_few_pieces_are_repaired_too(closed_shop: Shop, lantern: str) -> None:
    closed_shop.change_product(lantern, {"$inc": {"stock": -4}})
    assert closed_shop.audit("--repair")["exitCode"] == 0
    assert stock_of(lantern) == 10


def test_traffic_between_audit_and_repair_is_kept(closed_shop: Shop, lantern: str) -> None:
    closed_shop.change_product(lantern, {"$inc": {"stock": 5}})
    [figure] = read_stock(no_progress).inconsistent
    settle([reserve(new_order(), (lantern, 4))])
    assert correct_stock(figure)
    assert stock_of(lantern) == 6
    assert_conserved()


def test_more_held_than_received_is_reported_and_left(closed_shop: Shop, lantern: str) -> None:
    settle([reserve(new_order(), (lantern, 9))])
    unrecord(lantern)
    closed_shop.change_product(lantern, {"$set": {"received": 4}})
    report = closed_shop.audit("--repair")
    assert report["exitCode"] == 1
    assert "add at least 5 to its stock" in report["differences"][0]["mend"]
    assert stock_of(lantern) == 1


def test_uncounted_products_of_other_programs_are_no_drift(closed_shop: Shop) -> None:
    added = product_collection().insert_one({"name": "Bell", "price": 1, "stock": 4}).inserted_id
    report = closed_shop.audit()
    assert (report["exitCode"], report["uncounted"]) == (0, [str(added)])
    settle([reserve(new_order(), (str(added), 1))])
    assert closed_shop.audit()["uncounted"] == []


def test_a_held_product_that_lost_its_count_is_counted_again(closed_shop: Shop, lantern: str) -> None:
    settle([reserve(new_order(), (lantern, 3))])
    closed_shop.change_product(lantern, {"$unset": {"received": 1}})
    assert "10 count as received" in closed_shop.difference("--repair")["mend"]
    closed_shop.assert_clean()
    assert_conserved()


def test_a_held_product_that_is_deleted_is_reported(closed_shop: Shop, lantern: str) -> None:
    settle([reserve(new_order(), (lantern, 3))])
    product_collection().delete_one({"_id": ObjectId(lantern)})
    assert "orders hold 3 of it" in closed_shop.difference("--repair")["fact"]


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"held": 5}, "reserved 3 and holds 5"),
        ({"held": -1}, "reserved 3 and holds -1"),
        ({"status": "released"}, "released, and of product"),
    ],
)
def test_an_impossible_line_is_reported_and_its_product_left(
    closed_shop: Shop, lantern: str, change: dict[str, Any], fact: str
) -> None:
    order_id = new_order()
    settle([reserve(order_id, (lantern, 3))])
    fields = {f"lines.{lantern}.{name}" if name == "held" else name: value for name, value in change.items()}
    ledger_collection().update_one({"_id": order_id}, {"$set": fields})
    report = closed_shop.audit("--repair")
    ledger = next(each for each in report["differences"] if each["kind"] == "ledger")
    assert ledger["id"] == order_id
    assert fact in ledger["fact"]
    assert stock_of(lantern) == 7
    assert report["exitCode"] == 1


def test_an_audit_in_slices_gives_the_same_as_in_one(
    closed_shop: Shop, lantern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle([reserve(new_order(), (lantern, 1)) for _ in range(7)])
    closed_shop.change_product(lantern, {"$inc": {"stock": 1}})
    whole = read_stock(no_progress)
    monkeypatch.setattr(stock_audit, "SLICE_ENTRIES", 2)
    progress: list[int] = []
    assert read_stock(progress.append) == whole
    assert progress == [2, 4, 6, 7]


def test_traffic_causes_no_false_drift(lantern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock_audit, "SLICE_ENTRIES", 10)
    rope, over = stocked(1000), threading.Event()

    def trade() -> None:
        try:
            for _ in range(20):
                orders = [new_order() for _ in range(20)]
                settle([reserve(order_id, (lantern, 1), (rope, 2)) for order_id in orders])
                settle([Release(order_id) for order_id in orders[5:]])
        finally:
            over.set()

    def look() -> int:
        looks = 0
        while not over.is_set():
            report = read_stock(no_progress)
            assert (report.inconsistent, report.invalid_lines) == ([], [])
            looks += 1
        return looks

    _, looks = run_together(trade, look)
    assert looks
    assert read_stock(no_progress).entries == 20 * 20


def test_unexplained_pieces_belong_to_the_restored_order(lantern: str) -> None:
    order_id = new_order()
    settle([reserve(order_id, (lantern, 10))])
    before = entry_of(order_id)
    ledger_collection().delete_one({"_id": order_id})
    assert restore_entry(order_id=order_id, lines={lantern: 10}, missing_pieces={lantern: 10})
    assert stock_of(lantern) == 0
    after = entry_of(order_id)
    assert before
    assert after
    assert after["lines"] == before["lines"]
    assert_conserved()


def test_a_hold_is_restored_whole_or_not_at_all(lantern: str) -> None:
    rope = stocked(1)
    lines = {lantern: 2, rope: 2}
    assert not restore_entry(order_id=new_order(), lines=lines, missing_pieces={lantern: 1, rope: 0})
    assert (stock_of(lantern), stock_of(rope)) == (10, 1)


def test_an_order_with_an_entry_is_not_restored(lantern: str) -> None:
    order_id = new_order()
    settle([reserve(order_id, (lantern, 2)), Release(order_id)])
    assert not restore_entry(order_id=order_id, lines={lantern: 2}, missing_pieces={})
    assert stock_of(lantern) == 10


def test_a_product_that_is_counted_concurrently_is_left(lantern: str) -> None:
    stale = ProductBalance(lantern, "Lantern", 9, None, 3)
    assert not correct_stock(stale)
    assert stock_of(lantern) == 10


def test_only_one_repair_runs_at_a_time(closed_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def repair_too() -> None:
        with pytest.raises(CommandError, match="another audit repairs") as error:
            call_command("audit_stock", "--repair")
        assert error.value.returncode == 2

    insert_rival(monkeypatch, audit_module, "read_stock", repair_too)
    assert closed_shop.audit("--repair")["exitCode"] == 0


def test_an_audit_in_an_outage_has_its_own_exit_code(closed_shop: Shop, mongo_server: Server) -> None:
    mongo_server.stop()
    try:
        with pytest.raises(CommandError, match="a server is unavailable") as error:
            call_command("audit_stock")
    finally:
        mongo_server.start()
    assert error.value.returncode == 2


BAD_ENTRIES: list[dict[str, Any]] = [
    {"_id": "bad", "status": "reserved", "lines": "none"},
    {"_id": "bad", "status": "reserved", "lines": [1]},
    {"_id": "bad", "status": "reserved"},
    {"_id": "bad", "status": "lost", "lines": {}},
    {"_id": "bad", "status": "reserved", "lines": {"p": 5}},
    {"_id": "bad", "status": "reserved", "lines": {"p": {"quantity": "2", "held": 2, "newStock": 1}}},
    {"_id": "bad", "status": "reserved", "lines": {"p": {"quantity": 2, "held": 2.5, "newStock": 1}}},
    {"_id": "bad", "lines": {"p": {"held": 2}}},
    {"_id": 7, "status": "reserved", "lines": {}},
    {"_id": "bad"},
]


@pytest.mark.parametrize("entry", BAD_ENTRIES, ids=str)
def test_a_ledger_entry_that_cannot_be_read_is_named_and_the_audit_goes_on(
    closed_shop: Shop, lantern: str, entry: dict[str, Any]
) -> None:
    settle([reserve(new_order(), (lantern, 3))])
    closed_shop.change_product(lantern, {"$set": {"stock": 9}})
    ledger_collection().insert_one(entry)  # type: ignore[arg-type]
    report = closed_shop.audit()
    assert report["exitCode"] == 1
    found = [(each["kind"], each["id"]) for each in report["differences"] if each["id"] != "p"]
    assert found == [("product", lantern), ("ledger", str(entry["_id"]))]


@pytest.mark.parametrize(
    "fields",
    [{"stock": "5"}, {"stock": 2.5}, {"stock": ...}, {"received": "5"}, {"price": "call us"}, {"name": 5}],
    ids=name_of,
)
def test_a_product_that_cannot_be_read_spoils_no_audit(
    closed_shop: Shop, lantern: str, fields: dict[str, Any]
) -> None:
    settle([reserve(new_order(), (lantern, 3))])
    closed_shop.change_product(lantern, {"$set": {"stock": 9}})
    kettle = planted(**fields)
    report = closed_shop.audit()
    found = {each["id"]: each for each in report["differences"]}
    assert found[lantern]["mend"] == "With --repair the stock becomes 7"
    assert found.keys() <= {lantern, kettle}
    assert report["products"] == 2
    closed_shop.audit("--repair")
    call_command("check_catalogue", "--repair", stdout=StringIO())
    assert closed_shop.audit()["exitCode"] == 0


def test_a_stock_that_is_no_number_is_a_difference_with_its_remedy(closed_shop: Shop, lantern: str) -> None:
    spoil(lantern, stock="ten")
    [difference] = closed_shop.audit()["differences"]
    assert difference["fact"] == "stock must be a whole number, not negative, and is 'ten', 0 held"
    assert "check_catalogue --repair" in difference["mend"]
