"""The looks at the stock for the proof page."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from devtools.driver.shop import eventually
from foundation.advisory_lock import Lock, take_lock
from kafka_workers.audit import look
from kafka_workers.audit.look import Looks, take_look, take_look_if_older
from kafka_workers.models import StockLook
from orders_app.services.change_order import cancel_order
from products_app.documents.product import product_collection
from products_app.services.stock.service import Release, settle
from tests.concurrency import RIVAL_SECONDS, run_beside
from tests.orders_app.ordering import STAFF, STAFF_REQUEST, OrderPlacer
from tests.products_app.product_stock import new_order, planted, reserve, spoil, stocked

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_catalogue"),
]


def taken() -> StockLook:
    take_look()
    return StockLook.objects.get()


def rows() -> list[dict[str, Any]]:
    """The products of a look, without their ids."""
    return [{name: value for name, value in row.items() if name != "id"} for row in taken().rows]


def test_a_look_has_what_was_received_what_is_held_and_what_is_in_stock() -> None:
    lantern, _ = stocked(10), stocked(4, name="Tent")
    order = new_order()
    settle([reserve(order, (lantern, 3)), reserve(new_order(), (lantern, 2))])
    settle([Release(order)])
    assert rows() == [
        {"name": "Lantern", "received": 10, "held": 2, "stock": 8, "drift": 0, "note": ""},
        {"name": "Tent", "received": 4, "held": 0, "stock": 4, "drift": 0, "note": ""},
    ]
    found = StockLook.objects.get()
    assert (found.products, found.entries) == (2, 2)
    assert (found.received, found.held, found.stock, found.drift_pieces) == (14, 2, 12, 0)
    assert timezone.now() - found.looked_at < timedelta(seconds=30)


def test_a_product_that_drifts_comes_first() -> None:
    stocked(4, name="Axe")
    spoil(stocked(10, name="Tent"), stock=7)
    found = taken()
    assert [(row["name"], row["drift"]) for row in found.rows] == [("Tent", -3), ("Axe", 0)]
    assert found.drift_pieces == 3


def test_what_was_received_without_a_movement_is_told() -> None:
    spoil(stocked(10), received=12)
    (row,) = rows()
    assert (row["received"], row["stock"], row["drift"], row["note"]) == (10, 10, 0, "unrecorded")
    assert StockLook.objects.get().drift_pieces == 2


def test_products_that_cannot_be_compared_say_why() -> None:
    lantern = stocked(10)
    settle([reserve(new_order(), (lantern, 3))])
    product_collection().delete_many({})
    planted(name="Axe", stock="many")
    planted(name="Tent", stock=5)
    found = rows()
    assert [(row["name"], row["stock"], row["note"]) for row in found] == [
        ("", None, "missing"),
        ("Axe", None, "unreadable"),
        ("Tent", 5, "uncounted"),
    ]


def test_no_more_products_are_kept_than_the_page_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "SHOWN_PRODUCTS", 1)
    stocked(4, name="Tent"), stocked(6, name="Axe")
    found = taken()
    assert [row["name"] for row in found.rows] == ["Axe"]
    assert (found.products, found.stock) == (2, 10)


def test_orders_are_in_flight_until_their_stock_is_answered(placer: OrderPlacer) -> None:
    first = placer.place()
    cancelled = placer.place_reserved()
    cancel_order(order_id=cancelled.id, reason=STAFF_REQUEST, origin=STAFF)
    placer.place_reserved()
    found = taken()
    assert (found.in_flight, found.in_flight_since) == (2, first.created_at)


def test_a_look_is_taken_anew_only_when_it_is_older() -> None:
    take_look_if_older(60)
    first = StockLook.objects.get().looked_at
    take_look_if_older(60)
    assert StockLook.objects.get().looked_at == first
    StockLook.objects.update(looked_at=first - timedelta(seconds=61))
    take_look_if_older(60)
    assert StockLook.objects.get().looked_at > first


def test_a_look_that_took_long_is_taken_less_often() -> None:
    take_look()
    before = timezone.now() - timedelta(seconds=60)
    StockLook.objects.update(looked_at=before, seconds=10)
    take_look_if_older(1)
    assert StockLook.objects.get().looked_at == before


def test_one_process_looks_at_a_time() -> None:
    assert take_lock(Lock.STOCK_LOOK)
    run_beside(lambda: take_look_if_older(0))
    assert not StockLook.objects.exists()


def test_a_page_gets_the_first_look_as_soon_as_it_is_taken() -> None:
    stocked(10)
    found = Looks(60).last(wait=RIVAL_SECONDS)
    assert found is not None
    assert found.stock == 10


def test_a_page_that_does_not_wait_gets_the_look_before() -> None:
    taken()
    StockLook.objects.update(looked_at=timezone.now() - timedelta(hours=1))
    stocked(10)
    looks = Looks(60)
    found = looks.last()
    assert found is not None
    eventually(lambda: StockLook.objects.get().products == 1, "the next look")
