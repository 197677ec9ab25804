"""The audit and the movements: received is their sum, and a repair never undoes a recount."""

from typing import Any

import pytest

from products_app.documents.movements import movement_collection
from products_app.services.catalogue import update_product
from products_app.services.stock.audit import read_stock
from products_app.services.stock.repair import correct_stock
from products_app.services.stock.service import Release, settle
from products_app.services.stock.stock_work import adjust_stock, receive_stock
from tests.kafka_workers.audit.conftest import Shop
from tests.products_app.product_stock import (
    assert_conserved,
    movements_of,
    new_order,
    reserve,
    stock_of,
    unrecord,
)

pytestmark = pytest.mark.django_db(transaction=True)


def recount(product_id: str) -> None:
    """What staff may do: 3 are held, and in the end 5 can be sold."""
    settle([reserve(new_order(), (product_id, 3))])
    receive_stock(product_id=product_id, quantity=4, reason="Delivery", actor="staff:1")
    adjust_stock(product_id=product_id, quantity=-2, reason="Recount", actor="staff:1")
    update_product(product_id=product_id, stock=5, actor="staff:1")


def test_no_repair_undoes_a_recount(closed_shop: Shop, lantern: str) -> None:
    recount(lantern)
    report = closed_shop.audit("--repair")
    assert (report["exitCode"], report["differences"], report["unrecorded"]) == (0, [], [])
    assert stock_of(lantern) == 5


def test_a_drift_beside_a_recount_is_repaired_and_the_recount_stays(closed_shop: Shop, lantern: str) -> None:
    recount(lantern)
    closed_shop.change_product(lantern, {"$inc": {"stock": 2}})
    assert closed_shop.audit("--repair")["exitCode"] == 0
    assert stock_of(lantern) == 5
    assert_conserved()


CHANGES_BY_HAND: dict[str, tuple[dict[str, int], str, str, int]] = {
    "both alike": (
        {"stock": 2, "received": 2},
        "With --repair a movement of +2 is recorded",
        "correction",
        7,
    ),
    "received alone": ({"received": -4}, "With --repair 8 count as received and the stock becomes 5", "", 5),
    "both otherwise": (
        {"stock": 2, "received": 5},
        "With --repair 8 count as received and the stock becomes 5",
        "",
        5,
    ),
}
"""What was changed by hand, the advice, the kind of the new movement, and the stock in the end."""


@pytest.mark.parametrize("name", CHANGES_BY_HAND)
def test_counts_that_were_changed_without_a_movement_are_found_and_repaired(
    closed_shop: Shop, lantern: str, name: str
) -> None:
    change, advice, kind, stock = CHANGES_BY_HAND[name]
    recount(lantern)
    before = len(movements_of(lantern))
    closed_shop.change_product(lantern, {"$inc": change})
    report = closed_shop.audit()
    [difference] = report["differences"]
    assert (report["exitCode"], difference["mend"]) == (1, advice)
    assert "8 of them by its movements" in difference["fact"]
    assert report["driftPieces"] == max(abs(each) for each in change.values())
    assert closed_shop.audit("--repair")["exitCode"] == 0
    closed_shop.assert_clean()
    assert stock_of(lantern) == stock
    assert [each["kind"] for each in movements_of(lantern)[before:]] == ([kind] if kind else [])
    assert_conserved()


def test_a_lost_movement_is_found(closed_shop: Shop, lantern: str) -> None:
    receive_stock(product_id=lantern, quantity=4, reason="Delivery", actor="staff:1")
    movement_collection().delete_one({"kind": "receipt"})
    assert closed_shop.difference()["fact"] == (
        "stock 14, 14 received, 10 of them by its movements, 0 held (Lantern)"
    )


def test_traffic_between_audit_and_repair_is_kept(closed_shop: Shop, lantern: str) -> None:
    order = new_order()
    for change in ({"stock": 2, "received": 2}, {"stock": 2, "received": 5}):
        closed_shop.change_product(lantern, {"$inc": change})
        [balance] = read_stock(lambda _: None).inconsistent
        settle([reserve(order, (lantern, 3)), Release(order)])
        settle([reserve(new_order(), (lantern, 1))])
        receive_stock(product_id=lantern, quantity=1, reason="Delivery", actor="staff:1")
        assert correct_stock(balance)
        closed_shop.assert_clean()
    assert stock_of(lantern) == 12


def test_products_of_an_earlier_version_are_no_difference_and_their_drift_is_found(
    closed_shop: Shop, lantern: str
) -> None:
    recount(lantern)
    unrecord(lantern)
    report: dict[str, Any] = closed_shop.audit()
    assert (report["exitCode"], report["unrecorded"]) == (0, [lantern])
    closed_shop.change_product(lantern, {"$inc": {"stock": 1}})
    assert closed_shop.difference("--repair")["mend"] == "With --repair the stock becomes 5"
    closed_shop.assert_clean()
    assert stock_of(lantern) == 5
