"""The metrics of orders: placed, settled, in flight, and answers that come again."""

from datetime import timedelta

import pytest
from django.utils import timezone
from msgspec.structs import replace
from prometheus_client import REGISTRY
from pytest_django import Settings

from orders_app.models import Order, StockContradiction
from orders_app.services.record_stock_answers import record_answers
from orders_app.services.stock_answers import MessageOrigin
from orders_app.state_machine import OrderStatus, PaymentMethod
from orders_app.waiting_metrics import update_holds_overdue, update_orders_waiting
from tests.orders_app.ordering import OrderPlacer, now, rejected, released, reserved
from web.metrics_text import metrics_of_this_process

pytestmark = pytest.mark.django_db(transaction=True)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"stockbridge_{name}", labels) or 0


def test_placed_orders_are_counted(placer: OrderPlacer) -> None:
    before = value("orders_placed_total")
    placer.place()
    placer.place()
    assert value("orders_placed_total") == before + 2


@pytest.mark.parametrize("outcome", ["reserved", "rejected"])
def test_orders_are_counted_by_what_became_of_their_stock(placer: OrderPlacer, outcome: str) -> None:
    order = placer.place()
    Order.objects.filter(id=order.id).update(created_at=timezone.now() - timedelta(seconds=100))
    counted = value("orders_settled_total", outcome=outcome)
    seconds = value("order_settle_seconds_sum")
    answer = reserved(order) if outcome == "reserved" else rejected(order)
    assert record_answers(answers=[answer], origin_actor="service:stock") == 0
    assert value("orders_settled_total", outcome=outcome) == counted + 1
    assert value("order_settle_seconds_sum") - seconds == pytest.approx(100, abs=20)


def test_an_answer_that_comes_again_is_told_and_settles_nothing(placer: OrderPlacer) -> None:
    answer = reserved(placer.place())
    record_answers(answers=[answer], origin_actor="service:stock")
    counted = value("orders_settled_total", outcome="reserved")
    assert record_answers(answers=[answer, answer], origin_actor="service:stock") == 2
    assert value("orders_settled_total", outcome="reserved") == counted


def test_an_answer_that_contradicts_its_order_is_no_repetition(placer: OrderPlacer) -> None:
    order = placer.place()
    record_answers(answers=[rejected(order)], origin_actor="service:stock")
    assert record_answers(answers=[released(order)], origin_actor="service:stock") == 0


def test_a_rejection_that_contradicts_what_was_reserved_before_is_no_repetition(placer: OrderPlacer) -> None:
    order = placer.place_reserved()
    record_answers(answers=[released(order)], origin_actor="service:stock")  # so the stock is requested again
    version = now(order).version
    assert record_answers(answers=[rejected(order)], origin_actor="service:stock") == 0
    assert now(order).version == version
    assert StockContradiction.objects.filter(order_id=order.id).count() == 2


def test_the_age_of_the_oldest_order_in_flight_grows_until_its_stock_is_known(placer: OrderPlacer) -> None:
    order = placer.place()
    Order.objects.filter(id=order.id).update(created_at=timezone.now() - timedelta(minutes=5))
    update_orders_waiting()
    assert value("orders_oldest_in_flight_seconds") == pytest.approx(300, abs=30)
    record_answers(answers=[reserved(order)], origin_actor="service:stock")
    update_orders_waiting()
    assert value("orders_oldest_in_flight_seconds") == 0


def test_orders_that_wait_are_counted_by_what_for(placer: OrderPlacer) -> None:
    order = placer.place()
    update_orders_waiting()
    assert (value("orders_waiting", wait="stock"), value("orders_waiting", wait="ship")) == (1, 0)
    Order.objects.filter(id=order.id).update(
        created_at=timezone.now() - timedelta(minutes=7), status=OrderStatus.PROCESSING
    )
    update_orders_waiting()
    assert (value("orders_waiting", wait="stock"), value("orders_waiting", wait="ship")) == (0, 1)
    assert value("orders_waiting_oldest_seconds", wait="ship") == pytest.approx(420, abs=30)
    assert value("orders_waiting_oldest_seconds", wait="stock") == 0


def test_a_hold_is_overdue_from_the_end_of_its_minutes_on(placer: OrderPlacer, settings: Settings) -> None:
    settings.HOLD_MINUTES = 30
    order = placer.place(PaymentMethod.CREDIT_CARD)
    update_holds_overdue()
    assert value("holds_overdue_seconds") == 0
    Order.objects.filter(id=order.id).update(created_at=timezone.now() - timedelta(minutes=31))
    update_holds_overdue()
    assert value("holds_overdue_seconds") == pytest.approx(60, abs=30)


def test_a_settled_order_is_an_exemplar_of_its_time(placer: OrderPlacer) -> None:
    order = placer.place()
    trace = "5" * 32
    answer = replace(reserved(order), origin=MessageOrigin(trace_parent=f"00-{trace}-{'6' * 16}-01"))
    record_answers(answers=[answer], origin_actor="service:stock")
    shown = metrics_of_this_process("application/openmetrics-text; version=1.0.0")
    assert f'trace_id="{trace}"' in shown.body.decode()
