"""The board, as the server makes it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from foundation.kept import Kept
from kafka_workers.models import LastAudit, ParkedEvent, StockLook
from kafka_workers.pages import board, board_state, health
from kafka_workers.pages.board_panels import wait_rows
from kafka_workers.pages.board_state import BoardState, find_board_state
from orders_app.board_figures import Wait, Waiting, count_waiting
from orders_app.models import GatewayEvent, Order
from orders_app.services.change_order import CANCELLED_BY_CUSTOMER, cancel_order
from orders_app.state_machine import OrderStatus, PaymentMethod
from products_app.exceptions import CatalogueUnavailable
from tests.orders_app.ordering import STAFF, Catalogue, OrderPlacer, catalogue, placer
from tests.products_app.product_stock import spoil, stocked

__all__ = ["catalogue", "placer"]


class StoredLooks:
    """The last look, without a next one being taken."""

    def last(self) -> StockLook | None:
        return StockLook.objects.first()


class StatesOfNow:
    """The state of the board, found out for each page."""

    def get(self) -> BoardState:
        return find_board_state()


@pytest.fixture(autouse=True)
def _figures_of_now(clean_catalogue: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept from the test before; Kafka has three dead letters."""
    dead_letters = Kept(lambda: 3, seconds=60)
    dead_letters.get()
    monkeypatch.setattr(board, "board_state", StatesOfNow())
    monkeypatch.setattr(board_state, "looks_for_board", StoredLooks())
    monkeypatch.setattr(health, "open_dead_letters", dead_letters)


def shown(browser: Client, path: str = "/board/") -> str:
    """The text of a page, without its tags."""
    answer = browser.get(path)
    assert answer.status_code == 200
    html = re.sub(r"<script.*?</script>", "", answer.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def figures(browser: Client) -> dict[str, Any]:
    answer = browser.get("/board/figures/")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def look(**fields: Any) -> StockLook:
    """A look that found nothing but this."""
    counts = dict.fromkeys(
        ("seconds", "products", "entries", "received", "held", "stock", "drift_pieces", "in_flight"), 0
    )
    return StockLook.objects.create(**{"looked_at": timezone.now(), "rows": [], **counts, **fields})


@pytest.mark.parametrize("path", ["/board/", "/board/figures/"])
def test_the_board_is_for_staff(path: str, staff: Client, customer: Client) -> None:
    assert Client().get(path)["Location"] == f"/login/?next={path}"
    assert customer.get(path).status_code == 403
    answer = staff.get(path)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert staff.post(path).status_code == 405


def test_the_board_shows_orders_their_number_by_status_and_what_waits(
    staff: Client, placer: OrderPlacer
) -> None:
    order = placer.place()
    placer.place_and_move(OrderStatus.PROCESSING)
    text = shown(staff)
    assert f"{order.order_number} Pending 2 \N{MULTIPLICATION SIGN} Lantern 20.00&nbsp; USD" in text
    assert "Pending 1 Processing 1 Shipped 0 Delivered 0 Cancelled 0" in text
    assert "2 in the last minute" in text
    assert re.search(r"Stock to be reserved 1 \d+ s", text)
    assert "Order to be shipped 1" in text
    assert "Nothing is stuck" in text


def test_the_board_of_a_shop_without_orders_says_so(staff: Client) -> None:
    text = shown(staff)
    assert "Drift of the stock not looked at yet" in text
    assert "No order has been placed yet." in text
    assert "Pending 0 Processing 0" in text
    assert "No product for sale is low or sold out." in text


@pytest.mark.usefixtures("db")
def test_what_waits_too_long_is_stuck() -> None:
    oldest = timezone.now() - timedelta(minutes=6)
    waits = [Waiting(wait, 1, oldest) for wait in Wait]
    stuck = {row.waiting.wait for row in wait_rows(waits) if row.is_stuck}
    assert stuck == {Wait.STOCK, Wait.RELEASE, Wait.CHARGE, Wait.REFUND}
    assert not any(row.is_stuck for row in wait_rows([Waiting(wait, 0, None) for wait in Wait]))


def test_each_kind_that_waits_leads_to_the_list_of_just_these_orders(placer: OrderPlacer) -> None:
    charged, unpaid = (placer.place_reserved(payment_method=PaymentMethod.CREDIT_CARD) for _ in range(2))
    Order.objects.filter(pk=charged.id).update(payment_attempts=1)
    unasked, unreleased = placer.place(), placer.place_reserved()
    for order in (unasked, unreleased):
        cancel_order(order_id=order.id, reason=CANCELLED_BY_CUSTOMER, origin=STAFF)
    orders_of = {Wait.CHARGE: [charged], Wait.PAYMENT: [unpaid], Wait.RELEASE: [unasked, unreleased]}
    browser = Client()
    browser.force_login(User.objects.create_superuser("ada"))
    for row in wait_rows(count_waiting(set(Wait) - {Wait.REFUND})):
        numbers = {order.order_number for order in orders_of.get(row.waiting.wait, [])}
        assert row.waiting.count == len(numbers)
        listed = {order.order_number for order in browser.get(row.url).context["cl"].result_list}
        assert listed == numbers, row.label


def test_the_figures_for_the_script_have_counts_orders_and_panels(staff: Client, placer: OrderPlacer) -> None:
    order = placer.place()
    found = figures(staff)
    assert found["statuses"] == {"1": 1, "2": 0, "3": 0, "4": 0, "5": 0}
    assert (sum(found["placed"]), len(found["placed"])) == (1, 60)
    assert abs(found["asOf"] / 1000 - timezone.now().timestamp()) < 30
    [shown_order] = found["orders"]
    assert shown_order == {
        "id": str(order.id),
        "orderNumber": order.order_number,
        "items": [{"productName": "Lantern", "quantity": 2}],
        "totalAmount": "20.00",
        "currency": "USD",
        "status": 1,
        "createdAt": order.created_at.isoformat(),
        "version": 1,
    }
    assert set(found["panels"]) == {"waiting", "health", "scarce"}


def test_the_board_tells_what_is_wrong(staff: Client) -> None:
    ParkedEvent.objects.create(order_id="0" * 32, version=1, type="created", reason="behind", detail="x")
    GatewayEvent.objects.create(event_id="e1", type="t", kind="dispute", created_at=timezone.now())
    GatewayEvent.objects.create(event_id="e2", type="t", kind="payment", created_at=timezone.now())
    look(drift_pieces=7)
    text = shown(staff)
    assert "Dead letters 3 Parked events 1 Drift of the stock 7 pieces" in text
    assert "Payments to be looked at 1" in text


def test_the_drift_is_of_whatever_compared_the_stock_last(staff: Client) -> None:
    look(drift_pieces=7, looked_at=timezone.now() - timedelta(hours=1))
    LastAudit.objects.create(drift_pieces=1)
    assert "Drift of the stock 1 piece " in shown(staff)


def test_dead_letters_are_not_waited_for(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_to_be_called() -> int:
        raise OSError

    monkeypatch.setattr(health, "open_dead_letters", Kept(not_to_be_called, seconds=60))
    assert "Dead letters not known yet" in shown(staff)


def test_workers_that_do_not_work_are_named(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "seen_processes", list)
    assert "Workers all work" in shown(staff)
    monkeypatch.setattr(health, "complaints", lambda _: {("relay", 7): "process 7 was killed"})
    text = shown(staff)
    assert "Workers 1 does not work" in text
    assert "relay: process 7 was killed" in text


def test_products_that_are_sold_out_or_low_are_listed_with_the_least_stock_first(staff: Client) -> None:
    spoil(stocked(4, name="Tent"), lowStockAt=5)
    stocked(0, name="Axe")
    stocked(3, name="Rope")
    stocked(0, name="Withdrawn", is_active=False)
    text = shown(staff)
    assert "1 low, 1 sold out" in text
    assert "Axe 0 — Tent 4 5" in text
    assert "Rope" not in text
    assert "Withdrawn" not in text


def test_without_the_catalogue_the_board_shows_the_rest(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: object) -> None:
        raise CatalogueUnavailable

    monkeypatch.setattr(board_state, "find_products", away)
    assert "The catalogue cannot be read just now." in shown(staff)


def test_many_boards_ask_the_databases_once_by_a_fixed_number_of_statements(
    staff: Client, placer: OrderPlacer, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        placer.place_items((catalogue.add("Tent"), 1), (catalogue.add("Axe"), 1))
    monkeypatch.setattr(board, "board_state", Kept(find_board_state, seconds=60))
    with CaptureQueriesContext(connection) as first:
        figures(staff)
    with CaptureQueriesContext(connection) as second:
        figures(staff)
    assert len(second) == 2  # session and user
    assert len(first) <= 20
